/**
 * The main chain in another process, over libp2p. One stream, opened when it is needed and again after it broke.
 *
 * An answer may get lost after the chain has acted. Reading is repeated, and so is a batch, which the chain answers the
 * same again; an operation is not: the caller sees by its nonce whether it was taken.
 */

import { setTimeout as delay } from 'node:timers/promises';
import * as dagCbor from '@ipld/dag-cbor';
import type { Libp2p } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import { z } from 'zod';
import type {
  AccountOperation,
  ChainAccount,
  Market,
  OperationReceipt,
  SignedBatch,
  SignedOperation,
  TokenSupply,
} from '../../../shared/chain.ts';
import { amount, type Balances } from '../../../shared/economy/money.ts';
import { checkOperation, encodeSignedOperation } from '../../../shared/economy/operation.ts';
import type { Funds } from '../../../shared/economy/payment.ts';
import type { NetworkSettings } from '../../../shared/economy/settings.ts';
import { AceError, type ErrorCode, isAceError } from '../../../shared/errors.ts';
import { fromHex, toHex } from '../../../shared/hex.ts';
import { type BatchResult, checkBatch, encodeBatch } from '../../../shared/settlement/batch.ts';
import { decodeBatchResult, paymentFrom } from '../../../shared/settlement/batch-result.ts';
import { openStream } from '../../p2p/host.ts';
import { OPERATIONS_TOLD } from '../../p2p/protocols/shard/constants.ts';
import type { ShardAddresses } from '../../p2p/protocols/shard/messages.ts';
import { RequestClient } from '../../p2p/requests.ts';
import { checked, type Sent } from '../../p2p/typed-rpc.ts';
import { serializer } from '../../util/serialize.ts';
import type { AccountChanges, MainChain } from '../port.ts';
import { CHAIN_LIMITS, CHAIN_PROTOCOL, PART_BYTES } from './constants.ts';
import {
  accountSchema,
  type ChainMethod,
  type ChainResult,
  type chainMethods,
  chainRpc,
  changesSchema,
} from './messages.ts';

type PlainAccount = z.output<typeof accountSchema>;

/** What a shard has to know of the chain before it can start. */
export interface ChainFacts {
  readonly settings: NetworkSettings;
  /** Whether shards may run faucets. */
  readonly devnet: boolean;
}

/** How long to wait before each new attempt after the line broke. */
const AGAIN_AFTER_MS = [50, 200, 500];
const CONNECTION_CODES: readonly ErrorCode[] = ['PeerClosed', 'PeerUnreachable'];

export class RemoteChain implements MainChain {
  readonly #host: Libp2p;
  readonly #address: Multiaddr;
  #line: Promise<RequestClient> | null = null;
  #settings: NetworkSettings | null = null;
  #devnet = false;
  #closed = false;
  /** What crosses in parts has the stream to itself. */
  readonly #alone = serializer();

  private constructor(host: Libp2p, address: Multiaddr) {
    this.#host = host;
    this.#address = address;
  }

  /**
   * With `known`, what the chain said when it was met last, its absence is no error: every call says so until it is back.
   * @throws AceError `ShardUnavailable` when the chain cannot be reached, `RequestTimeout`, `MessageMalformed`,
   * `WrongNetwork` when it is another one than was known
   */
  static async connect(
    host: Libp2p,
    address: Multiaddr,
    known: ChainFacts | null = null,
  ): Promise<RemoteChain> {
    const chain = new RemoteChain(host, address);
    chain.#settings = known?.settings ?? null;
    chain.#devnet = known?.devnet ?? false;
    try {
      await chain.#open();
    } catch (cause) {
      if (!isAceError(cause) || !CONNECTION_CODES.includes(cause.code)) throw cause;
      if (known) return chain;
      const hint = 'check that shard 0 runs and that the address is right';
      throw new AceError('ShardUnavailable', `The main chain at ${address} cannot be reached: ${hint}`, {
        cause,
      });
    }
    return chain;
  }

  settings(): NetworkSettings {
    if (!this.#settings) throw new AceError('ShardUnavailable', 'The main chain was not met yet');
    return this.#settings;
  }

  /** Whether shards may run faucets. */
  get devnet(): boolean {
    return this.#devnet;
  }

  async account(address: string): Promise<ChainAccount> {
    return toAccount(await this.#call('account', { address: address.toLowerCase() }));
  }

  async accounts(): Promise<ChainAccount[]> {
    const bytes = await this.#large((line) => chainRpc.call(line, 'accounts', {}));
    return checked(z.array(accountSchema), decode(bytes)).map(toAccount);
  }

  async changes(cursor: string | null): Promise<AccountChanges> {
    return checked(
      changesSchema,
      decode(await this.#large((line) => chainRpc.call(line, 'changes', { cursor }))),
    );
  }

  async market(): Promise<Market> {
    const { videoUnits, watchMs, xacPerXat, xacPerXas, aceBytePriceUsd } = await this.#call('market', {});
    return { totals: { videoUnits, watchMs }, rates: { xacPerXat, xacPerXas }, aceBytePriceUsd };
  }

  async pools() {
    const { pools } = await this.#call('pools', {});
    return pools as Awaited<ReturnType<MainChain['pools']>>;
  }

  async supply() {
    const { supply } = await this.#call('supply', {});
    return supply as Record<keyof typeof supply, TokenSupply>;
  }

  async deviceLink(account: string, device: string) {
    return (await this.#call('deviceLink', { account: account.toLowerCase(), device })).link;
  }

  async devices(account: string) {
    return (await this.#call('devices', { account: account.toLowerCase() })).devices;
  }

  async access(account: string, contentId: string, seller: string) {
    const asked = { account: account.toLowerCase(), contentId, seller: seller.toLowerCase() };
    const { access } = await this.#call('access', asked);
    return access && { ...access, priceXac: amount(access.priceXac) };
  }

  async accountOperations(address: string, fromHeight: number, limit: number): Promise<AccountOperation[]> {
    const asked = { address: address.toLowerCase(), fromHeight, limit: Math.min(limit, OPERATIONS_TOLD) };
    const { operations } = await this.#call('accountOperations', asked);
    return operations.map(({ payment, ...row }) => ({ ...row, payment: payment && paymentFrom(payment) }));
  }

  head() {
    return this.#call('head', {});
  }

  lastBatch(shard: number) {
    return this.#call('lastBatch', { shard });
  }

  async submit({ operation, signature }: SignedOperation): Promise<OperationReceipt> {
    checkOperation(operation);
    const bytes = encodeSignedOperation(operation, fromHex(signature.slice(2)));
    const { height, hash, changes } = await this.#call('submit', { operation: bytes });
    return { height, hash: `0x${toHex(hash)}`, changes };
  }

  async applyBatch({ batch, signature }: SignedBatch): Promise<BatchResult> {
    checkBatch(batch);
    const bytes = encodeBatch(batch);
    const answer = await this.#large(async (line) => {
      for (let offset = 0; offset < bytes.length; offset += PART_BYTES) {
        await chainRpc.call(line, 'part', { offset, bytes: bytes.slice(offset, offset + PART_BYTES) });
      }
      return chainRpc.call(line, 'applyBatch', { signature });
    });
    return decodeBatchResult(answer);
  }

  async batchResult(shard: number, number: number): Promise<BatchResult | null> {
    const bytes = await this.#large((line) => chainRpc.call(line, 'batchResult', { shard, number }));
    return bytes.length === 0 ? null : decodeBatchResult(bytes);
  }

  /** Says where this shard listens, and hears where all do. @throws AceError as every call */
  async register(multiaddrs: readonly string[]): Promise<readonly ShardAddresses[]> {
    return (await this.#call('register', { multiaddrs })).shards;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const line = await this.#line?.catch(() => null);
    await line?.close();
  }

  #call<M extends ChainMethod>(
    method: M,
    params: Sent<z.input<(typeof chainMethods)[M]['params']>>,
  ): Promise<ChainResult<M>> {
    return this.#onLine((line) => chainRpc.call(line, method, params), method !== 'submit');
  }

  /** Asks for something large and gathers its parts. */
  #large(first: (line: RequestClient) => Promise<{ totalBytes: number; part: Uint8Array }>) {
    return this.#alone(() =>
      this.#onLine(async (line) => {
        const { totalBytes, part } = await first(line);
        const parts = [part];
        let offset = part.length;
        while (offset < totalBytes) {
          const more = await chainRpc.call(line, 'more', { offset });
          if (more.part.length === 0 || offset + more.part.length > totalBytes) {
            throw new AceError('MessageMalformed', 'The main chain sent a broken answer');
          }
          parts.push(more.part);
          offset += more.part.length;
        }
        return new Uint8Array(Buffer.concat(parts));
      }, true),
    );
  }

  /** Runs `act` on the line; again on a new one when the line breaks meanwhile and `again` does no harm. */
  async #onLine<T>(act: (line: RequestClient) => Promise<T>, again: boolean): Promise<T> {
    let broke = false;
    for (let attempt = 0; ; attempt++) {
      try {
        const line = await this.#open();
        broke = true;
        return await act(line);
      } catch (error) {
        if (!isAceError(error) || !CONNECTION_CODES.includes(error.code)) throw error;
        // A chain that is not there when it is asked is told so at once; one that was there may be back soon.
        const last = this.#closed || !again || !broke || attempt >= AGAIN_AFTER_MS.length;
        if (last) throw unavailable(error);
        await delay(AGAIN_AFTER_MS[attempt]);
      }
    }
  }

  #open(): Promise<RequestClient> {
    if (this.#closed) return Promise.reject(unavailable());
    if (this.#line) return this.#line;
    const opening = this.#connect();
    const forget = () => {
      if (this.#line === opening) this.#line = null;
    };
    this.#line = opening;
    opening.then((line) => line.closed.then(forget), forget);
    return opening;
  }

  async #connect(): Promise<RequestClient> {
    const frames = await openStream(this.#host, [this.#address], CHAIN_PROTOCOL, CHAIN_LIMITS);
    const line = new RequestClient(frames, () => undefined);
    try {
      const { settings, devnet } = await chainRpc.call(line, 'hello', {});
      const known = this.#settings?.networkId ?? settings.networkId;
      if (known !== settings.networkId) {
        throw new AceError('WrongNetwork', `The main chain is of ${settings.networkId} now, not ${known}`);
      }
      this.#settings ??= settings;
      this.#devnet = devnet;
      return line;
    } catch (error) {
      await line.close();
      throw error;
    }
  }
}

function toAccount(account: PlainAccount): ChainAccount {
  // What a shard is told by the process that has the chain is bounded as amounts are.
  return { ...account, main: account.main as Balances, services: account.services as Funds };
}

function decode(bytes: Uint8Array): unknown {
  try {
    return dagCbor.decode(bytes);
  } catch (cause) {
    throw new AceError('MessageMalformed', 'The main chain sent a broken answer', { cause });
  }
}

/** What a shard answers its nodes with while the chain is away: they ask again. */
function unavailable(cause?: unknown): AceError {
  return new AceError('ShardUnavailable', 'The main chain cannot be reached right now', { cause });
}
