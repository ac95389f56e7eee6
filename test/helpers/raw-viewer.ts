/**
 * A viewer that a test drives by hand: its own account and device, real leases, and a piece-exchange stream on which
 * it can say anything, right or wrong, in any order.
 */
import { randomBytes } from 'node:crypto';
import type { Libp2p } from '@libp2p/interface';
import type { FrameStream } from '../../main/p2p/frames.ts';
import { createHost, openStream } from '../../main/p2p/host.ts';
import { Meter } from '../../main/p2p/meter.ts';
import { ShardClient } from '../../main/p2p/protocols/shard/client.ts';
import { PIECES_LIMITS, PIECES_PROTOCOL } from '../../main/pieces/constants.ts';
import type { Message, MessageType } from '../../main/pieces/messages.ts';
import { Remote } from '../../main/pieces/remote.ts';
import { sha256 } from '../../main/util/sha256.ts';
import { type Account, accountFromPhrase } from '../../main/wallet/account.ts';
import { encodeCertificate, issueCertificate } from '../../main/wallet/certificate.ts';
import { createDevice, type DeviceIdentity, deviceFromSeed } from '../../main/wallet/device.ts';
import { deviceKeyOf } from '../../main/wallet/device-peer-id.ts';
import type { WalletSecrets } from '../../main/wallet/keystore.ts';
import { createPhrase } from '../../main/wallet/phrase.ts';
import {
  type ChannelTerms,
  type Checkpoint,
  channelIdOf,
  encodeCheckpoint,
  encodeTerms,
} from '../../shared/channel/records.ts';
import { TickChain } from '../../shared/channel/tick-chain.ts';
import { AceError } from '../../shared/errors.ts';
import type { Devnet } from './devnet.ts';

type Of<T extends MessageType> = Extract<Message, { type: T }>;

/** A channel whose chain is in the test's hands. */
export interface RawChannel {
  readonly terms: ChannelTerms;
  readonly channelId: Uint8Array;
  readonly chain: TickChain;
  readonly signed: Omit<Of<'open'>, 'type'>;
}

/** What a viewer must know of a provider; a running peer is one. */
export interface RawPayee {
  readonly account: Pick<Account, 'address'>;
  readonly host: Pick<Libp2p, 'peerId' | 'getMultiaddrs'>;
}

export class RawViewer {
  readonly host: Libp2p;
  readonly account: Account;
  readonly device: DeviceIdentity;
  readonly shard: ShardClient;
  readonly certificate: Uint8Array;
  readonly stop: () => Promise<void>;
  readonly #net: Devnet;

  private constructor(
    net: Devnet,
    parts: Pick<RawViewer, 'host' | 'account' | 'device' | 'shard' | 'certificate' | 'stop'>,
  ) {
    this.#net = net;
    this.host = parts.host;
    this.account = parts.account;
    this.device = parts.device;
    this.shard = parts.shard;
    this.certificate = parts.certificate;
    this.stop = parts.stop;
  }

  static async start(net: Devnet, secrets?: WalletSecrets): Promise<RawViewer> {
    const account = accountFromPhrase(secrets?.phrase ?? createPhrase(12));
    const device = secrets ? deviceFromSeed(secrets.deviceSeed) : createDevice();
    const host = await createHost({ deviceSeed: device.seed(), listen: [] });
    const shard = new ShardClient(host, net.validator.host.getMultiaddrs().slice(0, 1), {
      onConnected: () => {},
      onDisconnected: () => {},
      onAccountChanged: () => {},
    });
    const stop = net.owns(async () => {
      await shard.stop();
      await host.stop();
    });
    await shard.connect();
    shard.keepTrying();
    const certificate = encodeCertificate(
      await issueCertificate(account, net.validator.settings, device.publicKey, Date.now()),
    );
    return new RawViewer(net, { host, account, device, shard, certificate, stop });
  }

  /** Terms to this provider, signed; `overrides` make them wrong. Not leased yet. */
  terms(provider: RawPayee, capacityUnits: number, overrides: Partial<ChannelTerms> = {}): RawChannel {
    const chain = TickChain.fromSeed(randomBytes(32), capacityUnits, sha256);
    const terms: ChannelTerms = {
      networkId: this.#net.validator.settings.networkId,
      shard: 0,
      payer: this.account.address,
      payee: provider.account.address,
      payerDevice: this.device.publicKey,
      payeeDevice: deviceKeyOf(provider.host.peerId),
      capacityUnits,
      anchor: chain.anchor,
      expiresAtMs: Date.now() + 3_600_000,
      nonce: new Uint8Array(randomBytes(16)),
      ...overrides,
    };
    const bytes = encodeTerms(terms);
    const signed = {
      terms: bytes,
      termsSignature: this.device.sign(bytes),
      leaseSignature: new Uint8Array(64),
    };
    return { terms, channelId: channelIdOf(encodeTerms(terms), sha256), chain, signed };
  }

  /** The shard's lease for terms. @throws AceError `CreditExhausted`, `LeaseRefused`, … */
  async leased(channel: RawChannel): Promise<RawChannel> {
    const { terms, termsSignature } = channel.signed;
    const { certificate } = this;
    const { signature } = await this.shard.call('lease', { terms, termsSignature, certificate });
    return { ...channel, signed: { ...channel.signed, leaseSignature: signature } };
  }

  lease(provider: RawPayee, capacityUnits: number, overrides: Partial<ChannelTerms> = {}) {
    return this.leased(this.terms(provider, capacityUnits, overrides));
  }

  /** A stream on which nothing was said yet. */
  async connect(provider: RawPayee): Promise<RawStream> {
    const frames = await openStream(this.host, provider.host.getMultiaddrs(), PIECES_PROTOCOL, PIECES_LIMITS);
    return new RawStream(frames, this);
  }

  /** A stream after the greeting. */
  async greet(provider: RawPayee): Promise<RawStream> {
    const stream = await this.connect(provider);
    stream.send({ type: 'hello', certificate: this.certificate });
    await stream.expect('welcome');
    return stream;
  }

  /** A stream after the greeting, with this channel open. */
  async open(provider: RawPayee, channel: RawChannel): Promise<RawStream> {
    const stream = await this.greet(provider);
    await stream.open(channel);
    return stream;
  }

  checkpoint(channel: RawChannel, fields: Partial<Checkpoint> & { units: number }): Of<'checkpoint'> {
    const record = encodeCheckpoint({
      channelId: channel.channelId,
      number: 1,
      bytes: 0,
      videoBytes: 0,
      watchMs: 0,
      final: false,
      tick: channel.chain.tick(Math.min(fields.units, channel.terms.capacityUnits)),
      ...fields,
    });
    return { type: 'checkpoint', record, signature: this.device.sign(record) };
  }
}

/** One stream in the test's hands. */
export class RawStream {
  readonly frames: FrameStream;
  readonly #peer: Remote;
  readonly #viewer: RawViewer;
  #nextId = 1;

  constructor(frames: FrameStream, viewer: RawViewer) {
    this.frames = frames;
    this.#peer = new Remote(frames, new Meter(Date.now));
    this.#viewer = viewer;
  }

  send(...messages: Message[]): void {
    this.#peer.send(...messages);
  }

  /** A frame with any bytes. */
  sendFrame(bytes: Uint8Array): void {
    this.frames.send(bytes);
  }

  receive(timeoutMs = 5_000): Promise<Message | null> {
    return this.#peer.receive(timeoutMs);
  }

  /** The next message, which is of this type. */
  async expect<T extends MessageType>(type: T, timeoutMs = 5_000): Promise<Of<T>> {
    const message = await this.receive(timeoutMs);
    if (message?.type !== type) {
      throw new Error(`Expected ${type}, the provider sent ${JSON.stringify(message) ?? 'the end'}`);
    }
    return message as Of<T>;
  }

  async open(channel: RawChannel): Promise<Of<'opened'>> {
    this.send({ type: 'open', ...channel.signed });
    return this.expect('opened');
  }

  request(contentId: string, pieceIndex: number): number {
    const id = this.#nextId++;
    this.send({ type: 'request', id, contentId, pieceIndex });
    return id;
  }

  /** The next piece with its bytes. */
  async takePiece(timeoutMs = 5_000): Promise<{ id: number; bytes: Buffer }> {
    const message = await this.receive(timeoutMs);
    if (message?.type !== 'piece') {
      throw new Error(`Expected a piece, the provider sent ${JSON.stringify(message) ?? 'the end'}`);
    }
    const chunks: Uint8Array[] = [];
    for (let left = message.chunkHashes.byteLength / 32; left > 0; left--) {
      chunks.push((await this.expect('chunk', timeoutMs)).data.slice());
    }
    return { id: message.id, bytes: Buffer.concat(chunks) };
  }

  pay(channel: RawChannel, index: number): void {
    this.send({ type: 'tick', index, tick: channel.chain.tick(index) });
  }

  /** Whether nothing comes for so long. */
  async silentFor(ms: number): Promise<boolean> {
    const heard = await this.receive(ms).catch((error: unknown) => error);
    return heard instanceof AceError && heard.code === 'RequestTimeout';
  }

  /** Reads to the end of the stream, whichever way the provider ends it. Fails when it does not. */
  async ended(timeoutMs = 5_000): Promise<Message[]> {
    const said: Message[] = [];
    const untilMs = Date.now() + timeoutMs;
    for (;;) {
      try {
        const message = await this.receive(Math.max(1, untilMs - Date.now()));
        if (!message) return said;
        said.push(message);
      } catch (error) {
        if (error instanceof AceError && error.code === 'PeerClosed') return said;
        throw error;
      }
    }
  }

  /** Goes away without a word. */
  vanish(): void {
    this.frames.abort(new Error('gone'));
  }

  get viewer(): RawViewer {
    return this.#viewer;
  }
}
