import { multiaddr } from '@multiformats/multiaddr';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ProviderFinder, type ProviderLookup } from '../../../../main/discovery/finder.ts';
import { MetProviders } from '../../../../main/discovery/met-providers.ts';
import { createLog } from '../../../../main/process/log.ts';
import type { Provider } from '../../../../main/transfer/transfer.ts';
import { AceError } from '../../../../shared/errors.ts';
import { expectAceRejection } from '../../../helpers/ace-error.ts';

const OWN = '0xown';
const provider = (peerId: string, account = '0xother', port = 1): Provider => ({
  peerId,
  account,
  addresses: [multiaddr(`/ip4/5.5.0.1/tcp/${port}`)],
});

interface Fake extends ProviderLookup {
  asked: number;
}

function lookup(name: string, find: ProviderLookup['find'], keepMs = 0, deadlineMs = 60): Fake {
  const fake: Fake = {
    name,
    keepMs,
    deadlineMs,
    asked: 0,
    find: (...args) => {
      fake.asked++;
      return find(...args);
    },
  };
  return fake;
}

const says =
  (...providers: Provider[]): ProviderLookup['find'] =>
  async (_, heard) => {
    for (const one of providers) heard.found(one);
  };
const silent: ProviderLookup['find'] = () => new Promise(() => undefined);

function finder(
  lookups: ProviderLookup[],
  nowMs: () => number = () => 0,
  met = new MetProviders(),
): ProviderFinder {
  const log = createLog(null);
  const made = new ProviderFinder({ lookups, peerId: 'self', account: OWN, met, nowMs, log });
  onTestFinished(() => made.stop());
  return made;
}

const ids = (providers: readonly Provider[]) => providers.map(({ peerId }) => peerId);

describe('finder of providers', () => {
  it('merges lookups in turn, and lists nobody twice, with the addresses of all', async () => {
    const a = lookup('a', says(provider('p'), provider('q')));
    const b = lookup('b', says(provider('r'), provider('p', '0xother', 2)));
    const found = await finder([a, b]).find('c');
    expect(ids(found)).toEqual(['p', 'r', 'q']);
    expect(found[0]?.addresses.map(String)).toEqual(['/ip4/5.5.0.1/tcp/1', '/ip4/5.5.0.1/tcp/2']);
  });

  it('leaves itself out, and lists devices of its own account first, once they have greeted: they charge nothing', async () => {
    const a = lookup(
      'a',
      says(provider('self', OWN), provider('p'), provider('fake', OWN), provider('mine', OWN)),
    );
    expect(ids(await finder([a]).find('c'))).toEqual(['p', 'fake', 'mine']);
    const met = new MetProviders();
    met.greeted('mine', OWN);
    expect(ids(await finder([a], () => 0, met).find('c'))).toEqual(['mine', 'p', 'fake']);
  });

  it('lists who has served before who has only greeted, and both before who was only named', async () => {
    const a = lookup('a', says(provider('named'), provider('greeted'), provider('served')));
    const met = new MetProviders();
    met.greeted('greeted', '0xother');
    met.served('served', '0xother');
    expect(ids(await finder([a], () => 0, met).find('c'))).toEqual(['served', 'greeted', 'named']);
  });

  it('answers with what is known while another source is silent, and does not wait for its deadline', async () => {
    const slow = lookup('slow', silent, 0, 60_000);
    const startedAt = performance.now();
    expect(ids(await finder([slow, lookup('a', says(provider('p')))]).find('c'))).toEqual(['p']);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it('gives the late answer of a slow source the next time', async () => {
    const late = Promise.withResolvers<void>();
    const slow = lookup(
      'slow',
      async (_, heard) => {
        await late.promise;
        heard.found(provider('late'));
      },
      1_000,
      60_000,
    );
    const one = finder([lookup('a', says(provider('p'))), slow]);
    expect(ids(await one.find('c'))).toEqual(['p']);
    late.resolve();
    await late.promise;
    expect(ids(await one.find('c'))).toEqual(['p', 'late']);
    expect(slow.asked).toBe(1);
  });

  it('hides nobody behind a source that names a thousand', async () => {
    const liar = lookup('liar', says(...Array.from({ length: 1_000 }, (_, i) => provider(`fake${i}`))));
    const found = ids(await finder([liar, lookup('a', says(provider('honest')))]).find('c'));
    expect(found.indexOf('honest')).toBe(1);
    expect(found.length).toBeLessThanOrEqual(65);
  });

  it('gives a silent source up after its deadline, and says what it found by then', async () => {
    const half = lookup('half', (_, heard) => {
      heard.found(provider('p'));
      return silent('', heard, AbortSignal.abort());
    });
    const one = finder([half, lookup('silent', silent)]);
    expect(ids(await one.find('c'))).toEqual(['p']);
    expect(await finder([lookup('silent', silent)]).find('c')).toEqual([]);
  });

  it('says who has it and does not send it now, and until when, where nobody else has it', async () => {
    const stops = (...untilMs: (number | null)[]): ProviderLookup['find'] => {
      return async (_, heard) => {
        for (const [i, at] of untilMs.entries()) heard.stopped(`p${i}`, { untilMs: at });
      };
    };
    const unreachable: ProviderLookup['find'] = async () => {
      throw new AceError('ShardUnavailable', 'away');
    };
    const stopped = lookup('stopped', stops(null, 9_000, 4_000));
    const error = await expectAceRejection(
      'ProviderStopped',
      finder([lookup('shard', unreachable), stopped]).find('c'),
    );
    expect(error.details).toEqual({ untilMs: 4_000 });
    const unknown = await expectAceRejection('ProviderStopped', finder([lookup('a', stops(null))]).find('c'));
    expect(unknown.details).toEqual({});
    expect(ids(await finder([stopped, lookup('a', says(provider('p')))]).find('c'))).toEqual(['p']);
  });

  it('keeps an answer for a short time, and asks again where nothing was found', async () => {
    let nowMs = 0;
    const kept = lookup('kept', says(provider('p')), 1_000);
    const empty = lookup('empty', says(), 1_000);
    const one = finder([kept, empty], () => nowMs);
    await one.find('c');
    nowMs = 999;
    await one.find('c');
    expect([kept.asked, empty.asked]).toEqual([1, 2]);
    nowMs = 1_000;
    await one.find('c');
    expect(kept.asked).toBe(2);
  });

  it('throws that the shard is away only when nobody else knows anyone', async () => {
    const away = lookup('shard', async () => {
      throw new AceError('ShardUnavailable', 'away');
    });
    expect(ids(await finder([away, lookup('a', says(provider('p')))]).find('c'))).toEqual(['p']);
    await expectAceRejection('ShardUnavailable', finder([away, lookup('a', says())]).find('c'));
  });
});
