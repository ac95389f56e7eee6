/** A payer that was killed, or restored from an old copy of its books, and what its device signs then. */
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { PayerService } from '../../../../main/channel/payer.ts';
import type { SentCheckpoint } from '../../../../main/channel/payer-channel.ts';
import { type NodeStore, openNodeStore } from '../../../../main/db/node/store.ts';
import { sha256 } from '../../../../main/util/sha256.ts';
import { createDevice, verifyDevice } from '../../../../main/wallet/device.ts';
import { checkProof, checkpointProof, encodeProof } from '../../../../shared/channel/equivocation.ts';
import { decodeCheckpoint, decodeTerms } from '../../../../shared/channel/records.ts';
import type { NetworkSettings } from '../../../../shared/economy/settings.ts';
import { AceError } from '../../../../shared/errors.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const MIB = 1_048_576;
const payee = { account: `0x${'2'.repeat(40)}`, device: createDevice().publicKey };
const device = createDevice();
const NOTHING_WATCHED = { unreportedMs: 0, report: () => 0 };
let nowMs = 1_800_000_000_000;

/** The files as a killed process leaves them: nothing is closed or flushed by us. */
function kill(dir: string): string {
  const copy = tempDir();
  for (const name of ['node.db', 'node.db-wal', 'node.db-shm']) {
    if (existsSync(join(dir, name))) copyFileSync(join(dir, name), join(copy, name));
  }
  return copy;
}

function payerIn(dir: string): { store: NodeStore; service: PayerService } {
  const store = openNodeStore(join(dir, 'node.db'));
  onTestFinished(() => store.close());
  const service = new PayerService({
    store,
    settings: { networkId: 'test' } as NetworkSettings,
    account: `0x${'1'.repeat(40)}`,
    device,
    leases: { shard: 0, leasableUnits: async () => 1_000, lease: async () => new Uint8Array(64) },
    nowMs: () => nowMs,
  });
  return { store, service };
}

async function paidChannel(dir: string, units: number) {
  const { store, service } = payerIn(dir);
  const channel = await service.channelTo(payee, 500);
  if (units > 0) channel.pay(units * MIB, false, () => undefined);
  return { store, service, channel };
}

function expectNoProof(terms: Uint8Array, a: SentCheckpoint, b: SentCheckpoint): void {
  expectAceError('ProofInvalid', () =>
    checkProof(encodeProof(checkpointProof(terms, a, b)), 'test', sha256, verifyDevice),
  );
}

it('killed after the commit, before the send: what it may have said is in its books, and not signed again otherwise', async () => {
  const dir = tempDir();
  const { channel } = await paidChannel(dir, 3);
  const signed = channel.checkpoint(true, NOTHING_WATCHED) as SentCheckpoint;
  nowMs += 5_000;
  const { service } = payerIn(kill(dir));
  const again = service.unansweredCheckpoints(payee.device);
  expect(again).toHaveLength(1);
  expect(Buffer.from(again[0]?.record ?? [])).toEqual(Buffer.from(signed.record));
  // Closing: no other checkpoint of this channel can ever be made.
  const next = await service.channelTo(payee, 10);
  expect(Buffer.from(next.state.channelId)).not.toEqual(Buffer.from(channel.state.channelId));
});

it('killed between two checkpoints: the next one has a number of its own', async () => {
  const dir = tempDir();
  const { channel } = await paidChannel(dir, 64);
  const first = channel.checkpoint(false, NOTHING_WATCHED) as SentCheckpoint;
  const { channel: revived } = await paidChannel(kill(dir), 1);
  const second = revived.checkpoint(true, NOTHING_WATCHED) as SentCheckpoint;
  const [a, b] = [decodeCheckpoint(first.record), decodeCheckpoint(second.record)];
  expect(Buffer.from(b.channelId)).toEqual(Buffer.from(a.channelId));
  // In the same millisecond on this clock.
  expect(b.number).toBe(a.number + 1);
  expectNoProof(channel.terms.terms, first, second);
});

it('restored from a copy that does not know the last checkpoint: it says something else, and that is no proof', async () => {
  const dir = tempDir();
  const { channel } = await paidChannel(dir, 64);
  const copy = kill(dir);
  const first = channel.checkpoint(false, NOTHING_WATCHED) as SentCheckpoint;
  nowMs += 36_000_000 - 1;
  const { channel: restored } = await paidChannel(copy, 2);
  const second = restored.checkpoint(true, NOTHING_WATCHED) as SentCheckpoint;
  expect(Buffer.from(second.record)).not.toEqual(Buffer.from(first.record));
  expectNoProof(channel.terms.terms, first, second);
});

it('restored from an old copy, it makes terms with an anchor of their own', async () => {
  const dir = tempDir();
  payerIn(dir);
  const copy = kill(dir);
  const [a, b] = [await paidChannel(dir, 0), await paidChannel(copy, 0)].map(({ channel }) =>
    decodeTerms(channel.terms.terms),
  );
  expect(Buffer.from(a?.anchor ?? [])).not.toEqual(Buffer.from(b?.anchor ?? []));
});

it('a checkpoint that could not be stored is not handed out', async () => {
  const { store, channel } = await paidChannel(tempDir(), 64);
  store.commit = () => {
    throw new AceError('StoreFailed', 'disk full');
  };
  expectAceError('StoreFailed', () => channel.checkpoint(false, NOTHING_WATCHED));
});
