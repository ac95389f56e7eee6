/** One bad shard among several, seen from a provider that is owed on channels of a good one. The loss is in units. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { pullProgress } from '../../main/account/channel-progress.ts';
import { Claims } from '../../main/channel/claims.ts';
import { PayeeService } from '../../main/channel/payee.ts';
import { Reports } from '../../main/channel/reports.ts';
import { openNodeStore } from '../../main/db/node/store.ts';
import { sha256 } from '../../main/util/sha256.ts';
import type { Claim } from '../../shared/channel/claim.ts';
import { advance, OPENING } from '../../shared/channel/lifecycle.ts';
import { channelIdOf, encodeTerms } from '../../shared/channel/records.ts';
import { AceError } from '../../shared/errors.ts';
import { MIB } from '../helpers/devnet.ts';
import { party, TestShard } from '../helpers/shard.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { waitFor } from '../helpers/wait.ts';

const log = { debug() {}, info() {}, warn() {}, error() {} } as never;

/** A provider with one channel at shard 1 (the bad one), opened first, and one at shard 0, on each 5 units are paid. */
function provider() {
  const dir = tempDir();
  const shard = new TestShard(dir);
  const store = openNodeStore(join(dir, 'node.db'));
  const [me, alice, mallory] = [party(2), party(1), party(3)];
  const channel = (payer: typeof alice, at: number, openedAtMs: number) => {
    const { terms, chain } = shard.terms(payer, me, 10, { shard: at });
    const channelId = channelIdOf(encodeTerms(terms), sha256);
    const bytes = encodeTerms(terms);
    store.commit(() =>
      store.payeeChannels.insert({
        state: {
          channelId,
          capacityUnits: 10,
          expiresAtMs: terms.expiresAtMs,
          paidUnits: 5,
          tick: chain.tick(5),
          servedBytes: 5 * MIB,
          checkpointNumber: 0,
          checkpointUnits: 0,
          ...advance(OPENING, 'leased'),
        },
        payer: payer.account.address,
        payerDevice: payer.device.publicKey,
        terms: bytes,
        termsSignature: payer.device.sign(bytes),
        leaseSignature: new Uint8Array(64),
        openedAtMs,
      }),
    );
    return channelId;
  };
  const bad = channel(mallory, 1, shard.nowMs);
  const good = channel(alice, 0, shard.nowMs + 1);
  const payee = new PayeeService({
    store,
    settings: shard.settings,
    account: me.account.address,
    device: me.device,
    windowCapUnits: 8,
    isRefused: () => false,
    nowMs: () => shard.nowMs,
  });
  return { store, payee, good, bad, nowMs: () => shard.nowMs };
}

it('a shard’s word on a channel of another shard ends no claim there', async () => {
  const { store, payee, good, bad, nowMs } = provider();
  const honest = { call: async () => ({ channels: [] }) };
  const liar = {
    call: async () => ({
      channels: [bad, good].map((channelId) => ({
        channelId,
        claimedUnits: 5,
        appliedUnits: 5,
        released: true,
      })),
    }),
  };
  await pullProgress(
    [
      [0, honest as never],
      [1, liar as never],
    ],
    store,
    nowMs,
    log,
    (progress) => payee.receiveProgress(progress.channelId, progress),
  );
  const row = store.payeeChannels.get(good);
  expect(row?.state.status).toBe('open');
  // 5 paid units that no shard holds proof for, and that nobody would ever hand in.
  expect(store.payeeChannels.toClaim().map((r) => Buffer.from(r.state.channelId).toString('hex'))).toContain(
    Buffer.from(good).toString('hex'),
  );
});

it.each(['Internal', 'StoreFailed', 'TooManyRequests', 'WrongNetwork', 'DataDirMismatch'] as const)(
  'a shard that answers claims with %s holds up no other shard’s claims',
  async (code) => {
    const { store, payee, good } = provider();
    const taken: Uint8Array[] = [];
    const claims = new Claims(
      store,
      {
        claim: async ({ channelId, units }: Claim, shard) => {
          if (shard === 1) throw new AceError(code, 'no');
          taken.push(channelId);
          return { claimedUnits: units, released: false };
        },
      },
      log,
      { payee, payer: { expire() {}, receiveProgress: () => false, claimRefused() {} } },
    );
    for (let i = 0; i < 3; i++) await claims.now().catch(() => 0);
    expect(taken).toEqual([Buffer.from(good)]);
  },
);

it('a hundred proofs for a shard that is away hold up no proof for another', async () => {
  const { store } = provider();
  const device = (n: number) => new Uint8Array(32).fill(1).map((_, i) => (i < 2 ? (n >> (8 * i)) & 255 : 7));
  const insert = (n: number, shard: number) =>
    store.commit(() =>
      store.equivocations.insert({ device: device(n), account: '0x00', shard, proof: new Uint8Array([n]) }),
    );
  for (let n = 0; n < 100; n++) insert(n, 1);
  insert(200, 0);
  const told: number[] = [];
  const reports = new Reports(
    store,
    'x',
    {
      report: async (_, shard) => {
        if (shard === 1) throw new AceError('ShardUnavailable', 'away');
        told.push(shard);
      },
    },
    log,
    20,
  );
  reports.soon();
  await waitFor('the good shard is told', () => told.length === 1).finally(() => reports.stop());
});
