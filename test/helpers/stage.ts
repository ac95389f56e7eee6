/**
 * Payers and providers at one shard, over real files and without a network: what each has given and got, in units and in
 * base units. The wire is the test's: what it does not carry did not arrive.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { PayeeChannel } from '../../main/channel/payee.ts';
import { PayeeService } from '../../main/channel/payee.ts';
import { type NodeStore, openNodeStore } from '../../main/db/node/store.ts';
import { settle } from '../../main/validator/batching.ts';
import { encodeTerms } from '../../shared/channel/records.ts';
import { TOKENS } from '../../shared/economy/money.ts';
import { priceOfUnits, unitPriceXac } from '../../shared/economy/price.ts';
import type { NetworkSettings } from '../../shared/economy/settings.ts';
import { unitsForBytes } from '../../shared/economy/units.ts';
import { heldAndOwed } from './chain.ts';
import { type LeasedChannel, type Party, party, TestShard } from './shard.ts';
import { tempDir } from './temp-dir.ts';

export const MIB = 1_048_576;
export const DAY_MS = 24 * 3_600_000;
export const WINDOW_CAP_UNITS = 8;

export class StagedProvider {
  readonly party: Party;
  readonly store: NodeStore;
  readonly service: PayeeService;
  readonly #shard: TestShard;

  constructor(shard: TestShard, n: number, dir: string) {
    this.#shard = shard;
    this.party = party(n);
    mkdirSync(join(dir, `provider-${n}`));
    this.store = openNodeStore(join(dir, `provider-${n}`, 'node.db'));
    this.service = new PayeeService({
      store: this.store,
      settings: shard.settings,
      account: this.party.account.address,
      device: this.party.device,
      windowCapUnits: WINDOW_CAP_UNITS,
      isRefused: () => false,
      nowMs: () => shard.nowMs,
    });
  }

  /** The payer says terms that the shard leased, as after each connection. */
  async open(channel: LeasedChannel): Promise<PayeeChannel> {
    const { payer } = channel;
    const leaseSignature = await this.#shard.request(channel);
    const terms = encodeTerms(channel.terms);
    const termsSignature = payer.device.sign(terms);
    const who = { account: payer.account.address, device: payer.device.publicKey };
    return this.service.open(who, { terms, termsSignature, leaseSignature });
  }

  /** Units that all payers together were sent and have not paid: what the provider loses if none comes back. */
  unpaidUnits(of?: Party): number {
    return this.store.payeeChannels
      .all()
      .filter((row) => !of || row.payer === of.account.address)
      .reduce((sum, { state }) => sum + unitsForBytes(state.servedBytes) - state.paidUnits, 0);
  }

  /** Hands in the deepest tick of each channel, as often as it is called. */
  claimAll(): void {
    for (const { state } of this.store.payeeChannels.all()) {
      const { channelId, paidUnits, tick } = state;
      this.#shard.takeClaim({ channelId, units: paidUnits, tick, checkpoint: null });
    }
  }
}

/** Serves pieces of one unit as long as nothing stands against it, at most `wanted`; the answer is how many. */
export function serveUnits(channel: PayeeChannel, wanted: number, firstPiece = 0): number {
  for (let i = 0; i < wanted; i++) {
    if (channel.obstacle(MIB) !== null) return i;
    channel.serve(MIB, [{ key: `piece/${firstPiece + i}`, bytes: MIB, resend: false }]);
    channel.commit();
  }
  return wanted;
}

export class Stage {
  readonly shard: TestShard;
  readonly #dir: string;
  readonly #providers: StagedProvider[] = [];

  /** Each of these payers has 10 XAT, and the credit on top. */
  constructor(payers: readonly Party[], settings: Partial<NetworkSettings> = {}) {
    this.#dir = tempDir();
    this.shard = new TestShard(
      this.#dir,
      settings,
      payers.map(({ account }) => [account.address, 'XAT', '10'] as const),
    );
  }

  provider(n: number): StagedProvider {
    const provider = new StagedProvider(this.shard, n, this.#dir);
    this.#providers.push(provider);
    return provider;
  }

  /** All providers hand in what they hold, and everything is settled. */
  async settleAll(): Promise<void> {
    for (const provider of this.#providers) provider.claimAll();
    for (let batches = 0; await settle(this.shard.context); batches++) expect(batches).toBeLessThan(100);
    await this.expectConserved();
  }

  /** For each token, accounts and pools hold genesis + emitted − burned. */
  async expectConserved(): Promise<void> {
    for (const token of TOKENS) {
      const { held, owed } = await heldAndOwed(this.shard.chain, token);
      expect(held).toBe(owed);
    }
  }

  /** Base units of XAC that so many units cost in one settlement. */
  async worth(units: number): Promise<bigint> {
    const { totals, rates } = await this.shard.chain.market();
    return priceOfUnits(units, unitPriceXac(totals, rates));
  }

  /** Base units of XAT that a payer has spent. XAT and XAC are one to one here. */
  async spent({ account }: Party): Promise<bigint> {
    return 100_000_000n - (await this.shard.chain.account(account.address)).services.XAT;
  }

  /** Base units of XAC that a provider has earned. */
  async earned({ account }: Party): Promise<bigint> {
    return (await this.shard.chain.account(account.address)).services.XAC;
  }

  /** Base units of XAC that the network took as fees of traffic. */
  async fees(): Promise<bigint> {
    return (await this.shard.chain.pools()).trafficFeePool.XAC;
  }

  /** What the payers spent is what providers earned and the network took, and is the price of so many units each. */
  async expectPaid(payer: Party, provider: Party, units: number): Promise<void> {
    expect(await this.spent(payer)).toBe(await this.worth(units));
    expect((await this.earned(provider)) + (await this.fees())).toBe(await this.worth(units));
  }
}
