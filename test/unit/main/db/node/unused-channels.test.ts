import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type NodeStore, openNodeStore } from '../../../../../main/db/node/store.ts';
import type { PayeeState } from '../../../../../shared/channel/payee.ts';
import { tempDir } from '../../../../helpers/temp-dir.ts';

const EXPIRES_AT_MS = 1_800_000_000_000;
const bytes = (n: number, length = 32) => new Uint8Array(length).fill(n);

let store: NodeStore;
beforeEach(() => {
  store = openNodeStore(join(tempDir(), 'node.db'));
  return () => store.close();
});

function insert(n: number, state: Partial<PayeeState> = {}): Uint8Array {
  const channelId = bytes(n);
  store.payeeChannels.insert({
    state: {
      ...{ channelId, capacityUnits: 100, expiresAtMs: EXPIRES_AT_MS, paidUnits: 0, tick: bytes(0) },
      ...{ servedBytes: 0, checkpointNumber: 0, checkpointUnits: 0, status: 'expired', pausedBy: null },
      ...state,
    },
    ...{ payer: `0x${n}`, payerDevice: bytes(1), terms: bytes(2) },
    ...{ termsSignature: bytes(3, 64), leaseSignature: bytes(4, 64), openedAtMs: 1 },
  });
  return channelId;
}
const forget = (atMs = EXPIRES_AT_MS + 1, most = 10) =>
  store.commit(() => store.payeeChannels.forgetUnused(atMs, most));
const isOnFile = (channelId: Uint8Array) => store.payeeChannels.get(channelId) !== null;

describe('a channel that never carried a byte', () => {
  it('is forgotten once it has expired before the time that is given, so many at a time', () => {
    const channels = [insert(1), insert(2), insert(3)];
    expect(forget(EXPIRES_AT_MS)).toBe(0);
    expect(forget(EXPIRES_AT_MS + 1, 2)).toBe(2);
    expect(channels.map(isOnFile)).toEqual([false, false, true]);
    expect(forget()).toBe(1);
    expect(store.payeeChannels.all()).toEqual([]);
  });
});

describe('a channel stays', () => {
  it.each<[string, Partial<PayeeState>]>([
    ['with a byte that was served', { servedBytes: 1 }],
    ['with a unit that was paid', { paidUnits: 1 }],
    ['while it is open', { status: 'open' }],
    ['while it is paused', { status: 'paused', pausedBy: 'payment-overdue' }],
    ['that is disputed', { status: 'disputed' }],
  ])('%s', (_, state) => {
    const channelId = insert(1, state);
    expect(forget(EXPIRES_AT_MS + 1_000_000)).toBe(0);
    expect(isOnFile(channelId)).toBe(true);
  });

  it('with a checkpoint that was signed', () => {
    const channelId = insert(1);
    const checkpoint = {
      ...{
        channelId,
        number: 1,
        units: 0,
        bytes: 0,
        videoBytes: 0,
        watchMs: 0,
        final: false,
        tick: bytes(0),
      },
    };
    const [payerSignature, payeeSignature] = [bytes(5, 64), bytes(6, 64)];
    store.payeeChannels.saveCheckpoint(channelId, { checkpoint, payerSignature, payeeSignature });
    expect(forget()).toBe(0);
  });
});
