/**
 * A provider left alone for a day among accounts that cost nothing. Its loss is what it sent and was never paid for in
 * money. The figures of old are those of a provider that bounds nothing but each account's window.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type PayeeChannel, PayeeService } from '../../main/channel/payee.ts';
import { ProviderRisk, type RiskLimits } from '../../main/channel/provider-risk.ts';
import { type NodeStore, openNodeStore } from '../../main/db/node/store.ts';
import { RISK_LIMITS, withUserLoans } from '../../main/peer/limits.ts';
import { createLog } from '../../main/process/log.ts';
import { sha256 } from '../../main/util/sha256.ts';
import { createDevice, type DeviceIdentity } from '../../main/wallet/device.ts';
import { channelIdOf, encodeLease, encodeTerms } from '../../shared/channel/records.ts';
import { TickChain } from '../../shared/channel/tick-chain.ts';
import { ratio } from '../../shared/economy/ratio.ts';
import { unitsForBytes } from '../../shared/economy/units.ts';
import { type Limits, NO_LIMITS } from '../../shared/limits.ts';
import { testSettings, VALIDATORS } from '../helpers/chain.ts';
import { databaseBytes, leasesOfStrangersInADay } from '../helpers/leases-of-strangers.ts';
import { party, START_MS } from '../helpers/shard.ts';
import { DAY_MS, MIB, serveUnits, WINDOW_CAP_UNITS } from '../helpers/stage.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { itInTiers } from '../helpers/tiers.ts';

const ADDRESSES = 20;
const HONEST = `0x${'9'.repeat(40)}`;
const settings = testSettings();
const PROVIDER = party(2);
const shardKey = VALIDATORS[0] as DeviceIdentity;

let file: string;
let store: NodeStore;
let nowMs: number;
let isCovered: (account: string) => boolean;
let provider: PayeeService;
let risk: ProviderRisk | undefined;
let seq = 0;

function start(limits: RiskLimits | null): void {
  risk =
    limits === null
      ? undefined
      : new ProviderRisk({
          ...{ store, limits },
          isCovered: async (account) => isCovered(account),
          nowMs: () => nowMs,
          clockMs: () => nowMs,
          log: createLog(null),
        });
  provider = new PayeeService({
    ...{ store, settings, windowCapUnits: WINDOW_CAP_UNITS },
    account: PROVIDER.account.address,
    device: PROVIDER.device,
    isRefused: () => false,
    nowMs: () => nowMs,
    ...(risk && { risk }),
  });
}

beforeEach(() => {
  file = join(tempDir(), 'node.db');
  store = openNodeStore(file);
  nowMs = START_MS;
  isCovered = () => false;
});
afterEach(() => store.close());

/** An account that nobody has seen, at one of twenty addresses, with a channel that its shard leased. */
function stranger(n: number, account = `0x${randomBytes(20).toString('hex')}`, capacityUnits = 16) {
  const device = createDevice();
  const chain = TickChain.fromSeed(randomBytes(32), capacityUnits, sha256);
  const expiresAtMs = nowMs + 2 * DAY_MS;
  const terms = encodeTerms({
    networkId: settings.networkId,
    shard: 0,
    payer: account,
    payee: PROVIDER.account.address,
    payerDevice: device.publicKey,
    payeeDevice: PROVIDER.device.publicKey,
    anchor: chain.anchor,
    nonce: new Uint8Array(randomBytes(16)),
    ...{ capacityUnits, expiresAtMs },
  });
  const channelId = channelIdOf(terms, sha256);
  const lease = encodeLease({ channelId, shard: 0, capacityUnits, expiresAtMs });
  const signed = { terms, termsSignature: device.sign(terms), leaseSignature: shardKey.sign(lease) };
  const open = () => provider.open({ account, device: device.publicKey }, signed, `address ${n % ADDRESSES}`);
  return { account, chain, channel: open(), reopen: open };
}

/** A settlement says that the account paid so many units in money. */
function paidInMoney(account: string, paidUnits: number): void {
  seq += 1;
  const row = {
    ...{ shard: 0, shardSeq: seq, batchNumber: seq, atMs: nowMs, counterparty: account, paidUnits },
    batchHash: new Uint8Array(32),
    direction: 'earned' as const,
    ...{ creditUnits: 0, refusedUnits: 0, repaidUnits: 0 },
    ...{ grossXac: 98n, feeXac: 9n, xatBurned: 0n, xasPaid: 0n, feeXas: 0n },
    price: ratio(98),
    ...{ signature: null, detail: null },
  };
  store.commit(() => store.settlements.insert(row));
  risk?.settled([{ ...row, seq }]);
}

/** Takes as much as it gets, and pays with ticks only: on credit, for it has no money. The answer is the units. */
function takeOnCredit(channel: PayeeChannel, chain: TickChain, most: number): number {
  let units = 0;
  while (units < most && serveUnits(channel, 1, units) === 1) {
    units += 1;
    channel.receiveTick(units, chain.tick(units));
  }
  channel.commit();
  return units;
}

/** Units that were sent and are not paid in money, of all accounts but the honest one. */
function lostUnits(): number {
  return store.payeeChannels
    .all()
    .filter(({ payer }) => payer !== HONEST)
    .reduce((sum, { state }) => sum + unitsForBytes(state.servedBytes), 0);
}

/** So many identities come in a day, one after the other; the honest payer is served in between. */
function day(identities: number, visit: (n: number) => void, honest: () => void = () => undefined): void {
  for (let from = 0; from < identities; from += 500) {
    // One transaction for many, for the test's sake alone: each is durable in life.
    store.commit(() => {
      for (let n = from; n < from + 500; n++) {
        nowMs += DAY_MS / identities;
        visit(n);
        if (n % 100 === 0) honest();
      }
    });
  }
}

/** Takes a unit and vanishes. */
function takeAndVanish(n: number): void {
  const { channel } = stranger(n);
  serveUnits(channel, 4);
  channel.detach();
}

/** Takes all it gets, on credit and then unpaid, and vanishes. */
function takeAllAndVanish(n: number): void {
  const { channel, chain } = stranger(n, undefined, 4_096);
  serveUnits(channel, WINDOW_CAP_UNITS, takeOnCredit(channel, chain, 4_096));
  channel.detach();
}

/** A payer that has paid for a while; each call serves it as much as its window holds, and it pays. */
function honestPayer(): () => number {
  const { channel, chain } = stranger(0, HONEST, 4_096);
  paidInMoney(HONEST, 200);
  let units = store.commit(() => takeOnCredit(channel, chain, 200));
  return () => {
    const served = serveUnits(channel, 100, units);
    units += served;
    channel.receiveTick(units, chain.tick(units));
    channel.commit();
    paidInMoney(HONEST, served);
    return served;
  };
}

describe('a provider among fresh identities from 20 addresses, for a day', () => {
  it('lost a unit to each of those who take one and vanish, before it bounded anything: 10,000 to 10,000', () => {
    start(null);
    day(500, takeAndVanish);
    expect(lostUnits()).toBe(500);
  });

  // The bound is reached by those of the first hours: more of them change nothing but the time this takes.
  itInTiers({ quick: [[1_500]], long: [[10_000]] })(
    'loses at most 300 units to %i of them now, and serves who pays as ever',
    (identities) => {
      start(RISK_LIMITS);
      const serveHonest = honestPayer();
      day(identities, takeAndVanish, () => expect(serveHonest()).toBe(WINDOW_CAP_UNITS));
      expect(lostUnits()).toBeLessThanOrEqual(25 * RISK_LIMITS.unpaid.inAllUnits);
      expect(lostUnits()).toBeGreaterThan(200);
    },
  );

  itInTiers({ quick: [[500]], long: [[2_000]] })(
    'loses less than 1 GiB to %i who take all they get, on credit and beyond',
    (identities) => {
      start(RISK_LIMITS);
      const serveHonest = honestPayer();
      day(identities, takeAllAndVanish, () => expect(serveHonest()).toBe(WINDOW_CAP_UNITS));
      expect(lostUnits()).toBe(RISK_LIMITS.newcomersUnits);
      expect(RISK_LIMITS.newcomersUnits).toBeLessThan(1_024);
    },
  );
});

describe('the files of a provider after such a day', () => {
  /** No more channels are opened anywhere. */
  const LEASES_A_DAY = leasesOfStrangersInADay(ADDRESSES);

  itInTiers({ quick: [[1_000]], long: [[10_000]] })(
    'grow by less than 100 MB, as what %i have left in them shows',
    (identities) => {
      start(RISK_LIMITS);
      const beforeBytes = databaseBytes(file);
      day(identities, takeAndVanish);
      store.close();
      const ofOneBytes = (databaseBytes(file) - beforeBytes) / identities;
      store = openNodeStore(file);
      const dayBytes = ofOneBytes * LEASES_A_DAY;
      console.info(
        `node.db: ${Math.round(ofOneBytes)} bytes for each stranger’s channel, so ${(dayBytes / 1e6).toFixed(1)} MB ` +
          `for all ${Math.round(LEASES_A_DAY)} leases that strangers get in a day`,
      );
      expect(dayBytes).toBeGreaterThan(10_000_000);
      expect(dayBytes).toBeLessThan(39_000_000);
    },
  );
});

describe('a fresh account on free credit', () => {
  it.each([
    ['took as much as it had, before', null, 4_096],
    ['takes 512 units now', RISK_LIMITS, 512],
  ])('%s', (_, limits, units) => {
    start(limits);
    const { channel, chain } = stranger(1, undefined, 10_240);
    // In one transaction, for the test's sake.
    expect(store.commit(() => takeOnCredit(channel, chain, 4_096))).toBe(units);
  });

  it('gets the network’s 10 GB from twenty providers', () => {
    expect(20 * RISK_LIMITS.newcomerUnits).toBe(settings.trafficCreditLimitUnits);
    expect(RISK_LIMITS.newcomersUnits).toBeGreaterThan(RISK_LIMITS.newcomerUnits);
  });

  it('is served on when its shard says that its funds cover what it leased', async () => {
    start(RISK_LIMITS);
    isCovered = () => true;
    const { channel, chain } = stranger(1, undefined, 10_240);
    const units = store.commit(() => takeOnCredit(channel, chain, 4_096));
    expect(units).toBe(512);
    expect(channel.obstacle(MIB)).toBe('CoverUnknown');
    await risk?.stop();
    expect(channel.obstacle(MIB)).toBeNull();
    // The word is asked for again: a lease taken since may have used the funds up.
    nowMs += 30_001;
    isCovered = () => false;
    expect(channel.obstacle(MIB)).toBe('CoverUnknown');
    await risk?.stop();
    expect(channel.obstacle(MIB)).toBe('LoanRefused');
  });

  it('is lent as much again as it has paid in money, and no more', () => {
    start(RISK_LIMITS);
    const { account, channel, chain } = stranger(1, undefined, 10_240);
    store.commit(() => takeOnCredit(channel, chain, 4_096));
    paidInMoney(account, 512);
    expect(channel.obstacle(MIB)).toBeNull();
    let units = 512;
    store.commit(() => {
      while (serveUnits(channel, 1, units) === 1) channel.receiveTick(++units, chain.tick(units));
    });
    expect(units).toBe(512 + 512 + 512);
  });
});

describe('a stranger where nothing more may be unpaid', () => {
  const full = () => {
    start(RISK_LIMITS);
    for (let n = 0; n < 20; n++) takeAndVanish(n);
    expect(lostUnits()).toBe(RISK_LIMITS.unpaid.inAllUnits);
  };

  it('is served each unit that it pays before', () => {
    full();
    const { channel, chain } = stranger(21);
    expect(channel.obstacle(MIB)).toBe('PrepaymentDue');
    for (let unit = 1; unit <= 10; unit++) {
      channel.receiveTick(unit, chain.tick(unit));
      expect(serveUnits(channel, 4, unit)).toBe(1);
      expect(channel.obstacle(MIB)).toBe('PrepaymentDue');
    }
    expect(lostUnits()).toBe(RISK_LIMITS.unpaid.inAllUnits + 10);
  });

  it('waits for its own payment, rather than being asked for another', () => {
    start({ ...RISK_LIMITS, unpaid: { ...RISK_LIMITS.unpaid, perGroupUnits: 1 } });
    const { channel, chain } = stranger(1);
    for (let unit = 1; unit <= 7; unit++) {
      serveUnits(channel, 1, unit);
      channel.receiveTick(unit, chain.tick(unit));
    }
    expect(serveUnits(channel, 4, 10)).toBe(1);
    expect(channel.obstacle(MIB)).toBe('PaymentOverdue');
  });

  it('is served unpaid again when an hour has passed, and a start forgets nothing', () => {
    full();
    start(RISK_LIMITS);
    expect(stranger(21).channel.obstacle(MIB)).toBe('PrepaymentDue');
    nowMs += RISK_LIMITS.unpaid.windowMs;
    expect(stranger(22).channel.obstacle(MIB)).toBeNull();
  });

  it('keeps nobody out who comes from elsewhere, while there is room in all', () => {
    start(RISK_LIMITS);
    for (let visit = 0; visit < 10; visit++) takeAndVanish(ADDRESSES * visit);
    expect(lostUnits()).toBe(RISK_LIMITS.unpaid.perGroupUnits);
    expect(stranger(ADDRESSES).channel.obstacle(MIB)).toBe('PrepaymentDue');
    expect(stranger(1).channel.obstacle(MIB)).toBeNull();
  });
});

describe('pieces that were lost with their stream', () => {
  // Each stranger had its one unit twice, before.
  it('are sent again to so many strangers in a day, and to all who have paid', () => {
    start({ ...RISK_LIMITS, unpaid: { ...RISK_LIMITS.unpaid, perGroupUnits: 100, inAllUnits: 100 } });
    let came = 0;
    /** By an address that no other came from lately. */
    const again = (account?: string) => {
      const { channel, reopen } = stranger(came++, account);
      expect(serveUnits(channel, 1)).toBe(1);
      channel.detach();
      const next = reopen();
      if (!next.isOwed('piece/0')) return false;
      next.serve(0, [{ key: 'piece/0', bytes: MIB, resend: true }]);
      next.commit();
      return true;
    };
    const { burst } = RISK_LIMITS.resends.all;
    const sent = Array.from({ length: 2 * burst }, () => again());
    expect(sent.filter(Boolean)).toHaveLength(burst);
    paidInMoney(HONEST, 1);
    expect(again(HONEST)).toBe(true);
    nowMs += DAY_MS / burst + 1;
    expect(again()).toBe(true);
  });

  it('are not all sent to one address: another gets its own', () => {
    start({ ...RISK_LIMITS, unpaid: { ...RISK_LIMITS.unpaid, perGroupUnits: 100, inAllUnits: 100 } });
    const maySend = (address: string) => risk?.mayResend(party(50).account.address, address) === true;
    const { burst } = RISK_LIMITS.resends.group;
    for (let sent = 0; sent < burst; sent++) {
      expect(maySend('greedy')).toBe(true);
      risk?.noteResend(party(50).account.address, 'greedy');
    }
    expect([maySend('greedy'), maySend('other')]).toEqual([false, true]);
  });
});

describe('loans that the user has set', () => {
  const withLoans = (set: Partial<Limits>) => withUserLoans(RISK_LIMITS, { ...NO_LIMITS, ...set });
  const taken = (most = 4_096) => {
    const { channel, chain } = stranger(1, undefined, 10_240);
    return store.commit(() => takeOnCredit(channel, chain, most));
  };

  it.each([
    ['as by default', {}, 512],
    ['less for each account', { loansPerAccountBytes: 10 * MIB }, 10],
    ['less for all in a day', { loansPerDayBytes: 20 * MIB + 1 }, 20],
    ['more of both', { loansPerAccountBytes: 2_000 * MIB, loansPerDayBytes: 3_000 * MIB }, 2_000],
    ['nothing', { loansPerDayBytes: 0 }, 0],
  ])('hold: %s', (_, set, units) => {
    start(withLoans(set));
    expect(taken()).toBe(units);
  });

  it('hold from the moment they are set, and never for who has paid', () => {
    start(RISK_LIMITS);
    const serveHonest = honestPayer();
    const { channel, chain } = stranger(1, undefined, 10_240);
    expect(store.commit(() => takeOnCredit(channel, chain, 5))).toBe(5);
    risk?.setLimits(withLoans({ loansPerAccountBytes: 5 * MIB }));
    expect(['CoverUnknown', 'LoanRefused']).toContain(channel.obstacle(MIB));
    risk?.setLimits(withLoans({}));
    expect(channel.obstacle(MIB)).toBeNull();
    risk?.setLimits(withLoans({ loansPerDayBytes: 0 }));
    expect(serveHonest()).toBe(WINDOW_CAP_UNITS);
  });
});
