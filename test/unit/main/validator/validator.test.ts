import { describe, expect, it, onTestFinished } from 'vitest';
import type { MainChain } from '../../../../main/chain/port.ts';
import { accountView } from '../../../../main/validator/accounts.ts';
import { CLAIM_GRACE_MS, settle } from '../../../../main/validator/batching.ts';
import { MAX_WALK_UNITS } from '../../../../main/validator/intake.ts';
import { MAX_LEASE_MS } from '../../../../main/validator/limits.ts';
import { AceError } from '../../../../shared/errors.ts';
import { decodeBatch } from '../../../../shared/settlement/batch.ts';
import { expectAceError, expectAceRejection } from '../../../helpers/ace-error.ts';
import { heldAndOwed, testAccount } from '../../../helpers/chain.ts';
import { type Party, party, TestShard } from '../../../helpers/shard.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const MIB = 1_048_576;
const [payer, payee, other] = [party(1), party(2), party(3)];

function shard(
  ...args: [
    settings?: ConstructorParameters<typeof TestShard>[1],
    funds?: ConstructorParameters<typeof TestShard>[2],
  ]
) {
  const made = new TestShard(tempDir(), ...args);
  onTestFinished(() => made.close());
  return made;
}

const leasable = async (s: TestShard, p: Party) =>
  (await accountView(s.chain, s.store, p.account.address)).leasableUnits;
const creditUsed = async (s: TestShard, p: Party) =>
  (await s.chain.account(p.account.address)).creditUsedUnits;

describe('leasing', () => {
  it('leases up to the free credit and not one unit more', async () => {
    const s = shard({ trafficCreditLimitUnits: 10 });
    await s.lease(payer, payee, 6);
    const error = await expectAceRejection('CreditExhausted', s.lease(payer, other, 5));
    expect(error.details.leasableUnits).toBe(4);
    await s.lease(payer, other, 4);
    expect(await leasable(s, payer)).toBe(0);
    await expectAceRejection('CreditExhausted', s.lease(payer, payee, 1));
  });

  it('counts what the funds buy on top of the credit', async () => {
    // 1 GB for 0.01 XAT, and no unit for more than 98 base units.
    const s = shard({ trafficCreditLimitUnits: 10 }, [[payer.account.address, 'XAT', '0.01']]);
    expect(await leasable(s, payer)).toBe(1_020 + 10);
  });

  it('gives the same terms the same lease and reserves them once', async () => {
    const s = shard({ trafficCreditLimitUnits: 10 });
    const channel = s.terms(payer, payee, 6);
    const [first, again] = [await s.request(channel), await s.request(channel)];
    expect(Buffer.from(again)).toEqual(Buffer.from(first));
    expect(await leasable(s, payer)).toBe(4);
  });

  it('refuses an anchor that serves another channel', async () => {
    const s = shard();
    const { terms } = await s.lease(payer, payee, 6);
    await expectAceRejection('DeviceDisputed', s.lease(payer, other, 6, { anchor: terms.anchor }));
  });

  it('refuses terms of another network or shard', async () => {
    const s = shard();
    await expectAceRejection('WrongNetwork', s.lease(payer, payee, 1, { networkId: 'x' }));
    await expectAceRejection('WrongNetwork', s.lease(payer, payee, 1, { shard: 1 }));
  });

  it('refuses an account to itself', async () => {
    await expectAceRejection('LeaseRefused', shard().lease(payer, payer, 1));
  });

  it('refuses another account’s certificate', async () => {
    const s = shard();
    await expectAceRejection('InvalidCertificate', s.request(s.terms(payer, payee, 1), other));
    const stolen = { account: other.account, device: payer.device };
    await expectAceRejection('InvalidCertificate', s.request(s.terms(payer, payee, 1), stolen));
  });

  it('refuses a signature of another device', async () => {
    const s = shard();
    const channel = { ...s.terms(payer, payee, 1), payer: { account: payer.account, device: other.device } };
    await expectAceRejection('InvalidSignature', s.request(channel, payer));
  });

  it('keeps the expiry within its bounds', async () => {
    const s = shard();
    await expectAceRejection('LeaseRefused', s.lease(payer, payee, 1, { expiresAtMs: s.nowMs }));
    await s.lease(payer, payee, 1, { expiresAtMs: s.nowMs + 1 });
    await s.lease(payer, payee, 1, { expiresAtMs: s.nowMs + MAX_LEASE_MS });
    await expectAceRejection(
      'LeaseRefused',
      s.lease(payer, payee, 1, { expiresAtMs: s.nowMs + MAX_LEASE_MS + 1 }),
    );
  });
});

describe('intake of claims', () => {
  it('takes a tick of the chain, and an older one changes nothing', async () => {
    const s = shard();
    const channel = await s.lease(payer, payee, 20);
    expect(s.claim(channel, 7)).toEqual({ claimedUnits: 7, released: false });
    expect(s.claim(channel, 5)).toEqual({ claimedUnits: 7, released: false });
    expect(s.claim(channel, 7)).toEqual({ claimedUnits: 7, released: false });
  });

  it('refuses a wrong tick', async () => {
    const s = shard();
    const channel = await s.lease(payer, payee, 20);
    expectAceError('ClaimInvalid', () => s.claim(channel, 3, { tick: channel.chain.tick(4) }));
    expectAceError('ClaimInvalid', () => s.claim(channel, 3, { tick: new Uint8Array(32) }));
    expect(s.claim(channel, 0).claimedUnits).toBe(0);
  });

  it('takes the whole capacity and nothing past it', async () => {
    const s = shard();
    const channel = await s.lease(payer, payee, 20);
    expectAceError('ClaimInvalid', () => s.claim(channel, 21, { tick: channel.chain.tick(20) }));
    expectAceError('ClaimInvalid', () => s.claim(channel, 2 ** 40, { tick: channel.chain.tick(20) }));
    expect(s.claim(channel, 20).claimedUnits).toBe(20);
  });

  it('refuses a claim on no lease', () => {
    const s = shard();
    expectAceError('ChannelUnleased', () => s.claim(s.terms(payer, payee, 5), 1));
  });

  it('walks so far and no further without a checkpoint', async () => {
    const s = shard();
    const channel = await s.lease(payer, payee, 1_000);
    expectAceError('ClaimInvalid', () => s.claim(channel, MAX_WALK_UNITS + 1));
    expect(s.claim(channel, MAX_WALK_UNITS).claimedUnits).toBe(MAX_WALK_UNITS);
    const checkpoint = s.checkpoint(channel, { units: 900 });
    expect(s.claim(channel, 950, { checkpoint }).claimedUnits).toBe(950);
  });

  it('releases the rest once both sides signed a final checkpoint', async () => {
    const s = shard({ trafficCreditLimitUnits: 20 });
    const channel = await s.lease(payer, payee, 20);
    const checkpoint = s.checkpoint(channel, { units: 5, final: true });
    expect(s.claim(channel, 5, { checkpoint: { ...checkpoint, payeeSignature: null } }).released).toBe(false);
    expect(await leasable(s, payer)).toBe(0);
    // The same record again, countersigned: number 1 is on file already.
    const second = s.checkpoint(channel, { units: 5, number: 2, final: true });
    expect(s.claim(channel, 5, { checkpoint: second }).released).toBe(true);
    expect(await leasable(s, payer)).toBe(15);
  });

  it('takes nothing on a lease that was released: the room belongs to others by then', async () => {
    const s = shard({ trafficCreditLimitUnits: 20 });
    const accomplice = await s.lease(payer, other, 20);
    s.claim(accomplice, 0, { checkpoint: s.checkpoint(accomplice, { units: 0, final: true }) });
    const honest = await s.lease(payer, payee, 20);
    expectAceError('ClaimInvalid', () => s.claim(accomplice, 20));
    expect(s.claim(honest, 20).claimedUnits).toBe(20);
    await settle(s.context);
    expect(s.store.loans.ofDebtor(payer.account.address).map((l) => [l.creditor, l.unitsLeft])).toEqual([
      [payee.account.address, 20],
    ]);
  });

  it('takes no tick past a final checkpoint that comes with it', async () => {
    const s = shard();
    const channel = await s.lease(payer, payee, 20);
    const checkpoint = s.checkpoint(channel, { units: 5, final: true });
    expectAceError('ClaimInvalid', () => s.claim(channel, 6, { checkpoint }));
    expect(s.claim(channel, 5, { checkpoint }).claimedUnits).toBe(5);
  });

  it.each<
    [
      string,
      'ClaimInvalid' | 'InvalidSignature' | 'MessageMalformed',
      (s: TestShard, c: Awaited<ReturnType<TestShard['lease']>>) => unknown,
    ]
  >([
    [
      'of another channel',
      'ClaimInvalid',
      (s, c) => s.checkpoint(c, { units: 1, channelId: new Uint8Array(32) }),
    ],
    [
      'past the capacity',
      'ClaimInvalid',
      (s, c) => s.checkpoint(c, { units: 21, bytes: 0, tick: c.chain.tick(20) }),
    ],
    ['with bytes it does not pay', 'ClaimInvalid', (s, c) => s.checkpoint(c, { units: 1, bytes: MIB + 1 })],
    [
      'that the payer did not sign',
      'InvalidSignature',
      (s, c) => ({ ...s.checkpoint(c, { units: 1 }), payerSignature: new Uint8Array(64) }),
    ],
    [
      'that the payee did not sign',
      'InvalidSignature',
      (s, c) => ({ ...s.checkpoint(c, { units: 1 }), payeeSignature: new Uint8Array(64) }),
    ],
    ['with a number past 2^53', 'MessageMalformed', (s, c) => s.checkpoint(c, { units: 1, number: 2 ** 53 })],
  ])('refuses a checkpoint %s', async (_what, code, make) => {
    const s = shard();
    const channel = await s.lease(payer, payee, 20);
    expectAceError(code, () => s.claim(channel, 1, { checkpoint: make(s, channel) as never }));
    expect(s.store.leases.get(channel.channelId)?.claimedUnits).toBe(0);
  });
});

describe('settling', () => {
  it('makes one entry for each pair and one batch for all', async () => {
    const s = shard();
    for (const units of [3, 4]) s.claim(await s.lease(payer, payee, 10), units);
    s.claim(await s.lease(payer, other, 10), 5);
    await settle(s.context);
    const batch = decodeBatch(s.store.batches.last()?.bytes ?? new Uint8Array(0));
    expect(batch.entries.map((e) => [e.payee, e.consumeUnits])).toEqual(
      [
        [payee.account.address, 7],
        [other.account.address, 5],
      ].sort(),
    );
    expect(await settle(s.context)).toBeNull();
    expect(await creditUsed(s, payer)).toBe(12);
  });

  it('settles a unit once, however often it is claimed', async () => {
    const s = shard();
    const channel = await s.lease(payer, payee, 10);
    for (const units of [3, 3, 5, 5]) {
      s.claim(channel, units);
      await settle(s.context);
    }
    expect(await creditUsed(s, payer)).toBe(5);
    expect(s.store.loans.owedUnits(payer.account.address)).toBe(5);
  });

  it('keeps leasable exact through claim, settlement and release', async () => {
    const s = shard({ trafficCreditLimitUnits: 20 });
    const channel = await s.lease(payer, payee, 15);
    s.claim(channel, 6);
    expect(await leasable(s, payer)).toBe(5);
    await settle(s.context);
    expect(await leasable(s, payer)).toBe(5);
    s.claim(channel, 6, { checkpoint: s.checkpoint(channel, { units: 6, final: true }) });
    expect(await leasable(s, payer)).toBe(14);
  });

  it('repays the oldest loan first, in part when the funds do not reach', async () => {
    const s = shard({}, [[testAccount(9).address, 'XAT', '1', 'main']]);
    const rich = testAccount(9);
    for (const [creditor, units] of [
      [payee, 100],
      [other, 50],
    ] as const) {
      s.claim(await s.lease(payer, creditor, 100), units);
      await settle(s.context);
    }
    // 1 GB costs 0.01 XAT: 120 units cost 0.001171875, and each payment is rounded up.
    await transfer(s.chain, rich, payer.account.address, 11_720n);
    await settle(s.context);
    const loans = s.store.loans.ofDebtor(payer.account.address);
    expect(loans.map((l) => [l.creditor, l.unitsLeft])).toEqual([[other.account.address, 30]]);
    expect(await creditUsed(s, payer)).toBe(30);
  });

  it('returns unused capacity a grace time after the expiry, and not before', async () => {
    const s = shard({ trafficCreditLimitUnits: 20 });
    const channel = await s.lease(payer, payee, 20);
    s.claim(channel, 3);
    s.nowMs = channel.terms.expiresAtMs + CLAIM_GRACE_MS;
    await settle(s.context);
    expect(await leasable(s, payer)).toBe(0);
    s.claim(channel, 4);
    s.nowMs += 1;
    await settle(s.context);
    expect(await leasable(s, payer)).toBe(16);
    expect(expectAceError('ClaimInvalid', () => s.claim(channel, 5)).reaction).toBe('ignore');
  });

  it('credits no more watch time than the wall clock, nor than the units can play', async () => {
    const s = shard({}, [[payer.account.address, 'XAC', '100000']]);
    const before = (await s.chain.market()).totals;
    const channel = await s.lease(payer, payee, 20);
    const report = (units: number, watchMs: number, number: number) =>
      s.claim(channel, units, {
        checkpoint: s.checkpoint(channel, { units, number, watchMs, videoBytes: units * MIB }),
      });
    const credited = async () => {
      while (await settle(s.context));
      const { totals } = await s.chain.market();
      return [Number(totals.videoUnits - before.videoUnits), Number(totals.watchMs - before.watchMs)];
    };
    report(2, 60_000, 1);
    s.nowMs += 10_000;
    // Units go with their time, rounded up.
    expect(await credited()).toEqual([1, 10_000]);
    s.nowMs += 1_000_000;
    expect(await credited()).toEqual([2, 60_000]);
    report(3, 2 ** 50, 2);
    expect(await credited()).toEqual([3, 3 * 131_072]);
  });

  it('counts no watch time for traffic that was no video', async () => {
    const s = shard();
    const before = (await s.chain.market()).totals;
    const channel = await s.lease(payer, payee, 20);
    s.claim(channel, 2, { checkpoint: s.checkpoint(channel, { units: 2, watchMs: 5_000 }) });
    s.nowMs += 10_000;
    await settle(s.context);
    expect((await s.chain.market()).totals).toEqual(before);
  });

  it.each(['before', 'after'] as const)(
    'sends a sealed batch again when the chain failed %s it applied it, and settles it once',
    async (when) => {
      const s = shard();
      const channel = await s.lease(payer, payee, 20);
      s.claim(channel, 5);
      const failing = {
        ...s.context,
        chain: new Proxy(s.chain, {
          get: (chain, name: keyof MainChain) =>
            name === 'applyBatch'
              ? async (batch: Parameters<MainChain['applyBatch']>[0]) => {
                  if (when === 'after') await chain.applyBatch(batch);
                  throw new AceError('StoreFailed', 'the line broke');
                }
              : (chain[name] as () => unknown).bind(chain),
        }),
      };
      await expectAceRejection('StoreFailed', settle(failing));
      s.claim(channel, 8);
      await settle(s.context);
      expect(await creditUsed(s, payer)).toBe(5);
      await settle(s.context);
      expect(await creditUsed(s, payer)).toBe(8);
      const { held, owed } = await heldAndOwed(s.chain, 'XAC');
      expect(held).toBe(owed);
    },
  );
});

async function transfer(
  chain: MainChain,
  from: typeof payer.account,
  to: string,
  baseUnits: bigint,
): Promise<void> {
  const { signOperation } = await import('../../../../main/wallet/account.ts');
  const { amount } = await import('../../../../shared/economy/money.ts');
  const { nonce } = await chain.account(from.address);
  const operation = {
    kind: 'transfer' as const,
    place: 'services' as const,
    from: from.address,
    to,
    token: 'XAT' as const,
    amount: amount(baseUnits),
    nonce,
  };
  await chain.submit(await signOperation(from, chain.settings(), operation));
}
