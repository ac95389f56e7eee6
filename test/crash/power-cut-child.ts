/** Takes ticks on one channel, commits each, and only then says it, with the length of the write-ahead log: DIR [TICKS] */
import { statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openNodeStore } from '../../main/db/node/store.ts';
import { advance, OPENING } from '../../shared/channel/lifecycle.ts';

const [dir = '', ticks = '100000'] = process.argv.slice(2);
const path = join(dir, 'node.db');
const store = openNodeStore(path);
const bytes = (length: number) => new Uint8Array(length).fill(1);
const nowMs = 1_800_000_000_000;
let state = {
  channelId: bytes(32),
  capacityUnits: 1_000_000,
  expiresAtMs: nowMs * 2,
  paidUnits: 0,
  tick: bytes(32),
  servedBytes: 0,
  checkpointNumber: 0,
  checkpointUnits: 0,
  ...advance(OPENING, 'leased'),
};
store.commit(() =>
  store.payeeChannels.insert({
    state,
    payer: '0xpayer',
    payerDevice: bytes(32),
    terms: bytes(100),
    termsSignature: bytes(64),
    leaseSignature: bytes(64),
    openedAtMs: nowMs,
  }),
);
for (let units = 1; units <= Number(ticks); units++) {
  state = { ...state, paidUnits: units, servedBytes: units * 1_048_576 };
  store.commit(() => store.payeeChannels.save(state, nowMs));
  writeSync(1, `${units} ${statSync(`${path}-wal`).size}\n`);
  // Slow enough that the log is not moved to the database before the parent has seen enough.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
}
store.close();
