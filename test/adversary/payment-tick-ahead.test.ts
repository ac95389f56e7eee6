/** Property: after a break, what an honest viewer has paid for never runs ahead of what the provider served. Pure trace. */
import { expect, it } from 'vitest';
import { SentPieces } from '../../main/channel/sent-pieces.ts';
import { newPayerState, type PayerState, receive, writeOff } from '../../shared/channel/payer.ts';

const MIB = 1_048_576;

it('write-off and resend together never count more than was served', () => {
  let viewer: PayerState = {
    ...newPayerState(new Uint8Array(32), { capacityUnits: 100, expiresAtMs: 0 }, 0),
    status: 'open',
  };
  const sent = new SentPieces();
  let served = 0;
  const lost = [
    ['last', 100_000],
    ['0', MIB],
  ] as const;
  for (const [key, bytes] of lost) {
    served += bytes;
    sent.add({ key, bytes, resend: false });
  }
  viewer = writeOff(viewer, served, { toPayeeUnits: 0, latelyUnits: 0 });
  sent.reopened(served - viewer.revealedUnits * MIB);
  for (const [key, bytes] of lost) {
    const resend = sent.isOwed(key);
    if (!resend) served += bytes;
    sent.add({ key, bytes, resend });
    viewer = receive(viewer, bytes, true);
  }
  expect(viewer.verifiedBytes + viewer.lostBytes).toBeLessThanOrEqual(served);
});
