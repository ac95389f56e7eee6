import { describe, expect, it } from 'vitest';
import { MAX_STOPPED_FOR_MS, stoppedUntilMs, whyNotOffered } from '../../../../main/p2p/offer.ts';
import { AceError } from '../../../../shared/errors.ts';

describe('why a content is not offered', () => {
  it('says for how long, where that is known, and no longer than a month', () => {
    expect(whyNotOffered('unknown').code).toBe('ContentUnknown');
    expect(whyNotOffered({ stoppedForMs: null })).toMatchObject({ code: 'ProviderStopped', details: {} });
    expect(whyNotOffered({ stoppedForMs: 5_000 }).details).toEqual({ forMs: 5_000 });
    expect(whyNotOffered({ stoppedForMs: 1e15 }).details).toEqual({ forMs: MAX_STOPPED_FOR_MS });
  });

  it('believes no time that cannot be', () => {
    const until = (forMs: string | number) =>
      stoppedUntilMs(new AceError('ProviderStopped', '', { details: { forMs } }), 1_000);
    expect(until(0)).toBe(1_000);
    expect(until(MAX_STOPPED_FOR_MS)).toBe(1_000 + MAX_STOPPED_FOR_MS);
    for (const wrong of [MAX_STOPPED_FOR_MS + 1, -1, 0.5, '5', Number.NaN]) expect(until(wrong)).toBeNull();
    expect(stoppedUntilMs(new AceError('ProviderStopped', ''), 1_000)).toBeNull();
  });
});
