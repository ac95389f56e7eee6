/** A shard without a network: real chain and validator files, real signatures, and a clock that the test turns. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { openEmbeddedChain } from '../../main/chain/embedded/embedded-chain.ts';
import type { MainChain } from '../../main/chain/port.ts';
import { openValidatorStore, type ValidatorStore } from '../../main/db/validator/store.ts';
import { sha256 } from '../../main/util/sha256.ts';
import type { BatchingContext } from '../../main/validator/batching.ts';
import { checkClaim } from '../../main/validator/claim-check.ts';
import { DebtorWatch } from '../../main/validator/debtor-watch.ts';
import { bookClaims, proofOf } from '../../main/validator/intake.ts';
import { grantLease } from '../../main/validator/leasing.ts';
import type { Account } from '../../main/wallet/account.ts';
import { encodeCertificate, issueCertificate } from '../../main/wallet/certificate.ts';
import { type DeviceIdentity, deviceFromSeed } from '../../main/wallet/device.ts';
import type { Claim, ClaimAnswer } from '../../shared/channel/claim.ts';
import {
  type ChannelTerms,
  type Checkpoint,
  channelIdOf,
  encodeCheckpoint,
  encodeTerms,
} from '../../shared/channel/records.ts';
import { TickChain } from '../../shared/channel/tick-chain.ts';
import type { NetworkSettings } from '../../shared/economy/settings.ts';
import { testAccount, testGenesis, testSettings, VALIDATORS } from './chain.ts';

/** A day in 2027: far from 0, so that a duration is never taken for a time. */
export const START_MS = 1_800_000_000_000;

export interface Party {
  readonly account: Account;
  readonly device: DeviceIdentity;
}

export interface LeasedChannel {
  readonly terms: ChannelTerms;
  readonly channelId: Uint8Array;
  readonly chain: TickChain;
  readonly payer: Party;
  readonly payee: Party;
}

/** Party number `n`: the same keys in every process. */
export function party(n: number): Party {
  return { account: testAccount(n), device: deviceFromSeed(new Uint8Array(32).fill(100 + n)) };
}

export class TestShard {
  readonly settings: NetworkSettings;
  readonly chain: MainChain;
  readonly store: ValidatorStore;
  nowMs = START_MS;
  readonly context: BatchingContext;
  #channels = 0;

  constructor(
    dir: string,
    settings: Partial<NetworkSettings> = {},
    funds: Parameters<typeof testGenesis>[0] = [],
    pools: Parameters<typeof testGenesis>[1] = undefined,
  ) {
    this.settings = testSettings(settings);
    const nowMs = () => this.nowMs;
    const genesis = testGenesis(funds, pools);
    this.chain = openEmbeddedChain({ path: join(dir, 'chain.db'), settings: this.settings, genesis, nowMs });
    this.store = openValidatorStore(join(dir, 'validator.db'));
    const key = VALIDATORS[0] as DeviceIdentity;
    const debtors = new DebtorWatch(this.store);
    this.context = { chain: this.chain, store: this.store, key, shard: 0, nowMs, debtors };
  }

  /** Terms that nobody has leased. The seed of the chain is fixed by the number of the channel. */
  terms(
    payer: Party,
    payee: Party,
    capacityUnits: number,
    overrides: Partial<ChannelTerms> = {},
  ): LeasedChannel {
    const seed = createHash('sha256')
      .update(`channel ${++this.#channels}`)
      .digest();
    const chain = TickChain.fromSeed(seed, capacityUnits, sha256);
    const terms: ChannelTerms = {
      networkId: this.settings.networkId,
      shard: 0,
      payer: payer.account.address,
      payee: payee.account.address,
      payerDevice: payer.device.publicKey,
      payeeDevice: payee.device.publicKey,
      capacityUnits,
      anchor: chain.anchor,
      expiresAtMs: this.nowMs + 3_600_000,
      nonce: new Uint8Array(seed.subarray(0, 16)),
      ...overrides,
    };
    return { terms, channelId: channelIdOf(encodeTerms(terms), sha256), chain, payer, payee };
  }

  async request({ terms, payer }: LeasedChannel, certified: Party = payer): Promise<Uint8Array> {
    const bytes = encodeTerms(terms);
    const certificate = encodeCertificate(
      await issueCertificate(certified.account, this.settings, certified.device.publicKey, START_MS),
    );
    return grantLease(this.context, { terms: bytes, termsSignature: payer.device.sign(bytes), certificate });
  }

  async lease(payer: Party, payee: Party, capacityUnits: number, overrides: Partial<ChannelTerms> = {}) {
    const channel = this.terms(payer, payee, capacityUnits, overrides);
    await this.request(channel);
    return channel;
  }

  claim(channel: LeasedChannel, units: number, fields: Partial<Claim> = {}): ClaimAnswer {
    const { channelId, chain } = channel;
    return this.takeClaim({
      channelId,
      units,
      tick: chain.tick(Math.min(units, chain.capacityUnits)),
      checkpoint: null,
      ...fields,
    });
  }

  takeClaim(claim: Claim): ClaimAnswer {
    const proven = checkClaim(proofOf(this.store, claim.channelId), claim);
    const [booked] = bookClaims(this.store, [{ claim, proven }]);
    if (booked && 'answer' in booked) return booked.answer;
    throw booked?.refusal;
  }

  /** A checkpoint signed by both sides. */
  checkpoint(
    channel: LeasedChannel,
    fields: Partial<Checkpoint> & { units: number },
  ): NonNullable<Claim['checkpoint']> {
    const record = encodeCheckpoint({
      channelId: channel.channelId,
      number: 1,
      bytes: fields.units * 1_048_576,
      videoBytes: 0,
      watchMs: 0,
      final: false,
      tick: channel.chain.tick(Math.min(fields.units, channel.chain.capacityUnits)),
      ...fields,
    });
    return {
      record,
      payerSignature: channel.payer.device.sign(record),
      payeeSignature: channel.payee.device.sign(record),
    };
  }

  async close(): Promise<void> {
    this.store.close();
    await this.chain.close();
  }
}
