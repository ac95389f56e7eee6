import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type NodeStore, openNodeStore } from '../../../../../main/db/node/store.ts';
import { expectAceError } from '../../../../helpers/ace-error.ts';
import { tempDir } from '../../../../helpers/temp-dir.ts';

const OPENED_AT_MS = 1_800_000_000_000;
const bytes = (n: number, length = 32) => new Uint8Array(length).fill(n);

let store: NodeStore;
beforeEach(() => {
  store = openNodeStore(join(tempDir(), 'node.db'));
  return () => store.close();
});

function insert(n: number): number {
  const channelId = bytes(n);
  store.payeeChannels.insert({
    state: {
      channelId,
      capacityUnits: 100,
      expiresAtMs: OPENED_AT_MS + 1,
      paidUnits: 0,
      tick: bytes(0),
      servedBytes: 0,
      checkpointNumber: 0,
      checkpointUnits: 0,
      status: 'open',
      pausedBy: null,
    },
    payer: `0x${n}`,
    payerDevice: bytes(1),
    terms: bytes(2),
    termsSignature: bytes(3, 64),
    leaseSignature: bytes(4, 64),
    openedAtMs: OPENED_AT_MS,
  });
  return store.payeeChannels.get(channelId)?.rowId ?? -1;
}

const stateOf = (n: number) => store.payeeChannels.get(bytes(n))?.state;

/** One more unit than its number on each, in one commit. */
function saveAll(rowIds: readonly number[]): void {
  store.commit(() =>
    store.payeeChannels.progress.saveAll(OPENED_AT_MS + 5, (writer) =>
      rowIds.forEach((rowId, n) => {
        writer.save(rowId, { paidUnits: n + 1, tick: bytes(n + 100), servedBytes: 1_000 + n });
      }),
    ),
  );
}

describe('the progress of many channels', () => {
  // Below, at and above the sizes of the statements, and several of them.
  it.each([1, 7, 8, 9, 31, 32, 33, 73])('reaches each of %i', (count) => {
    const rowIds = Array.from({ length: count }, (_, n) => insert(n));
    saveAll(rowIds);
    for (let n = 0; n < count; n++) {
      expect(stateOf(n)).toMatchObject({ paidUnits: n + 1, servedBytes: 1_000 + n, status: 'open' });
      expect(stateOf(n)?.tick).toEqual(Buffer.from(bytes(n + 100)));
    }
    expect(store.payeeChannels.paidUnits()).toBe((count * (count + 1)) / 2);
  });

  it.each([
    ['ticks', { paidUnits: 19, servedBytes: 1_019 }],
    ['served bytes', { paidUnits: 20, servedBytes: 1_018 }],
  ])('is refused as a whole when one would forget %s', (_, back) => {
    const rowIds = Array.from({ length: 40 }, (_, n) => insert(n));
    saveAll(rowIds);
    const saving = () =>
      store.commit(() =>
        store.payeeChannels.progress.saveAll(OPENED_AT_MS + 9, (writer) =>
          rowIds.forEach((rowId, n) => {
            const on = { paidUnits: 50, servedBytes: 5_000 };
            writer.save(rowId, { tick: bytes(9), ...(n === 19 ? back : on) });
          }),
        ),
      );
    expectAceError('InvariantViolated', saving);
    for (let n = 0; n < 40; n++) expect(stateOf(n)).toMatchObject({ paidUnits: n + 1 });
  });

  it('dates served bytes only when they grow', () => {
    const [rowId] = [insert(1)];
    const save = (nowMs: number, servedBytes: number) =>
      store.commit(() =>
        store.payeeChannels.progress.saveAll(nowMs, (writer) =>
          writer.save(rowId, { paidUnits: 0, tick: bytes(0), servedBytes }),
        ),
      );
    const owedSince = (sinceMs: number) =>
      store.payeeChannels.historyOf({ payer: '0x1', channelId: bytes(99), debtSinceMs: sinceMs }).unpaidUnits;
    save(OPENED_AT_MS + 10, 1);
    save(OPENED_AT_MS + 20, 1);
    expect(owedSince(OPENED_AT_MS + 9)).toBe(1);
    expect(owedSince(OPENED_AT_MS + 10)).toBe(0);
  });

  it('is of channels that are stored', () => {
    expectAceError('InvariantViolated', () => saveAll([insert(1), 999]));
    expect(stateOf(1)).toMatchObject({ paidUnits: 0 });
  });
});

it('a channel never goes back to an earlier checkpoint', () => {
  const rowId = insert(1);
  const standing = (checkpointNumber: number) =>
    ({ checkpointNumber, checkpointUnits: 0, status: 'open', pausedBy: null }) as const;
  store.payeeChannels.saveStanding(rowId, standing(2));
  store.payeeChannels.saveStanding(rowId, standing(2));
  expectAceError('InvariantViolated', () => store.payeeChannels.saveStanding(rowId, standing(1)));
  expect(stateOf(1)).toMatchObject({ checkpointNumber: 2 });
});
