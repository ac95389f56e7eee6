import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type NodeStore, openNodeStore } from '../../../../main/db/node/store.ts';
import { knownDevices } from '../../../../main/wallet/known-devices.ts';
import { leaveDevice } from '../../../../main/wallet/lost-device.ts';
import type { ChannelStatus } from '../../../../shared/channel/lifecycle.ts';
import { encodeTerms } from '../../../../shared/channel/records.ts';
import { toHex } from '../../../../shared/hex.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const EXPIRES_AT_MS = 1_800_000_000_000;
const bytes = (n: number, length = 32) => new Uint8Array(length).fill(n);
const [OURS, THEIRS] = [bytes(1), bytes(2)];
const STATUSES = [
  ...(['opening', 'open', 'paused', 'closing', 'claimed', 'settled', 'expired', 'disputed'] as const),
];

let store: NodeStore;
beforeEach(() => {
  store = openNodeStore(join(tempDir(), 'node.db'));
  return () => store.close();
});

function termsOf(payerDevice: Uint8Array, payeeDevice: Uint8Array): Uint8Array {
  return encodeTerms({
    ...{ networkId: 'net', shard: 0, payer: `0x${'a'.repeat(40)}`, payee: `0x${'b'.repeat(40)}` },
    ...{ payerDevice, payeeDevice, capacityUnits: 100, anchor: bytes(3), expiresAtMs: EXPIRES_AT_MS },
    nonce: bytes(4, 16),
  });
}

function common(n: number, status: ChannelStatus) {
  const pausedBy = status === 'paused' ? ('payment-overdue' as const) : null;
  return {
    ...{ channelId: bytes(n), capacityUnits: 100, expiresAtMs: EXPIRES_AT_MS },
    ...{ checkpointNumber: 1, checkpointUnits: 2, status, pausedBy },
  };
}

function insert(n: number, status: ChannelStatus): void {
  const signed = { termsSignature: bytes(5, 64), openedAtMs: n };
  store.payerChannels.insert({
    state: {
      ...common(n, status),
      ...{ revealedUnits: 3, verifiedBytes: 4, videoBytes: 4, lostBytes: 0, watchMs: 5, checkpointAtMs: 6 },
    },
    ...{ payee: `0x${'b'.repeat(40)}`, payeeDevice: THEIRS, terms: termsOf(OURS, THEIRS) },
    ...{ ...signed, pebbles: bytes(7) },
  });
  store.payeeChannels.insert({
    state: { ...common(n, status), paidUnits: 3, tick: bytes(8), servedBytes: 4_000_000 },
    ...{ payer: `0x${'c'.repeat(40)}`, payerDevice: THEIRS, terms: termsOf(THEIRS, OURS) },
    ...{ ...signed, leaseSignature: bytes(9, 64) },
  });
}

describe('books whose device is lost', () => {
  it('rest what could still be paid or served on, and keep all that was earned and agreed', () => {
    for (const [n, status] of STATUSES.entries()) insert(n, status);
    const [paying, earning] = [store.payerChannels.all(), store.payeeChannels.all()];
    store.commit(() => leaveDevice(store, 10));
    const rests = (status: ChannelStatus) =>
      status === 'opening' || status === 'open' || status === 'paused'
        ? { status: 'expired', pausedBy: null }
        : { status };
    expect(store.payerChannels.all()).toEqual(
      paying.map((row) => ({ ...row, state: { ...row.state, ...rests(row.state.status) } })),
    );
    expect(store.payeeChannels.all()).toEqual(
      earning.map((row) => ({ ...row, state: { ...row.state, ...rests(row.state.status) } })),
    );
    expect(knownDevices(store)).toEqual([toHex(OURS)]);
    expect(store.payerChannels.usable(THEIRS, 0)).toEqual([]);
    expect(store.payerChannels.unanswered(THEIRS, 0)).toBeNull();

    const once = [store.payerChannels.all(), store.payeeChannels.all()];
    store.commit(() => leaveDevice(store, 11));
    expect([store.payerChannels.all(), store.payeeChannels.all()]).toEqual(once);
  });

  it('own no broadcast any more that has not ended', () => {
    for (const contentId of ['on', 'over']) {
      store.broadcasts.insert({
        ...{ contentId, transport: bytes(1), name: contentId, mimeType: 'x', addedAtMs: 1 },
        ...{ pushKey: 'secret', folder: '/somewhere' },
      });
    }
    store.broadcasts.setEnded('over');
    store.commit(() => leaveDevice(store, 10));
    expect(store.broadcasts.own().map(({ contentId }) => contentId)).toEqual(['over']);
    expect(store.broadcasts.get('on')).toMatchObject({ pushKey: null, folder: null });
  });
});
