/**
 * A provider that a test drives by hand: announced at the shard like any other, it serves a content's real transport
 * file, and answers each piece-exchange stream with whatever its script says.
 */
import type { Libp2p } from '@libp2p/interface';
import { chunkHashesOf, contentIdOf } from '../../main/content/transport-file.ts';
import { answerOf, refusalOf } from '../../main/p2p/answer.ts';
import { FrameStream } from '../../main/p2p/frames.ts';
import { createHost } from '../../main/p2p/host.ts';
import { Meter } from '../../main/p2p/meter.ts';
import { ShardClient } from '../../main/p2p/protocols/shard/client.ts';
import { TRANSPORT_PROTOCOL } from '../../main/p2p/protocols/transport/protocol.ts';
import type { RunningPeer } from '../../main/peer/peer.ts';
import { PIECES_LIMITS, PIECES_PROTOCOL } from '../../main/pieces/constants.ts';
import type { Message } from '../../main/pieces/messages.ts';
import { Remote } from '../../main/pieces/remote.ts';
import { type Account, accountFromPhrase } from '../../main/wallet/account.ts';
import { encodeCertificate, issueCertificate } from '../../main/wallet/certificate.ts';
import { createDevice, type DeviceIdentity } from '../../main/wallet/device.ts';
import { createPhrase } from '../../main/wallet/phrase.ts';
import { CHUNK_BYTES } from '../../shared/economy/units.ts';
import { AceError } from '../../shared/errors.ts';
import type { Devnet } from './devnet.ts';

/** What the provider does with one message of a viewer. Throwing resets the stream. */
export type Script = (message: Message, stream: ScriptStream) => void | Promise<void>;

/** The script of a provider that is asked before `honest`, which could have sent everything by then, serves anything. */
export function askedBefore(honest: Pick<RunningPeer, 'limits'>, script: Script): Script {
  honest.limits.set({ uploadBytesPerSecond: 0 });
  return (message, stream) => {
    if (message.type === 'open') honest.limits.set({ uploadBytesPerSecond: null });
    return script(message, stream);
  };
}

export class ScriptStream {
  readonly #frames: FrameStream;
  readonly #peer: Remote;

  constructor(frames: FrameStream) {
    this.#frames = frames;
    this.#peer = new Remote(frames, new Meter(Date.now));
  }

  send(...messages: Message[]): void {
    this.#peer.send(...messages);
  }

  sendFrame(bytes: Uint8Array): void {
    this.#frames.send(bytes);
  }

  /** A whole piece: its real chunk hashes, then these bytes in chunks. */
  sendPiece(id: number, piece: Uint8Array, chunkHashes = chunkHashesOf(piece)): void {
    this.send({ type: 'piece', id, chunkHashes });
    for (let at = 0; at < piece.byteLength; at += CHUNK_BYTES) {
      this.send({ type: 'chunk', data: piece.subarray(at, at + CHUNK_BYTES) });
    }
  }

  vanish(): void {
    this.#frames.abort(new Error('gone'));
  }

  receive(): Promise<Message | null> {
    return this.#peer.receive();
  }

  /** Ends its own direction. */
  close(): Promise<void> {
    return this.#frames.close();
  }
}

export class RawProvider {
  readonly host: Libp2p;
  readonly account: Account;
  readonly device: DeviceIdentity;
  /** Every message that viewers sent. */
  readonly heard: Message[] = [];
  /** Streams that viewers opened. */
  streams = 0;
  readonly #certificate: Uint8Array;
  readonly #shard: ShardClient;

  private constructor(
    host: Libp2p,
    account: Account,
    device: DeviceIdentity,
    certificate: Uint8Array,
    shard: ShardClient,
  ) {
    this.host = host;
    this.account = account;
    this.device = device;
    this.#certificate = certificate;
    this.#shard = shard;
  }

  /** Answers `hello` by itself; everything else goes to the script. `transports` are served by their content id. */
  static async start(
    net: Devnet,
    script: Script,
    transports: readonly Uint8Array[] = [],
  ): Promise<RawProvider> {
    const account = accountFromPhrase(createPhrase(12));
    const device = createDevice();
    const host = await createHost({ deviceSeed: device.seed(), listen: ['/ip4/127.0.0.1/tcp/0'] });
    const shard = new ShardClient(host, net.validator.host.getMultiaddrs().slice(0, 1), {
      onConnected: () => {},
      onDisconnected: () => {},
      onAccountChanged: () => {},
    });
    net.owns(async () => {
      await shard.stop();
      await host.stop();
    });
    await shard.connect();
    shard.keepTrying();
    const certificate = encodeCertificate(
      await issueCertificate(account, net.validator.settings, device.publicKey, Date.now()),
    );
    const provider = new RawProvider(host, account, device, certificate, shard);
    await host.handle(PIECES_PROTOCOL, (stream) => {
      const frames = new FrameStream(stream, PIECES_LIMITS);
      provider
        .#serve(new ScriptStream(frames), script)
        .catch((error: unknown) => frames.abort(error as Error));
    });
    const byId = new Map(transports.map((bytes) => [contentIdOf(bytes), bytes]));
    await provider.serveTransports((contentId) => byId.get(contentId) ?? new Uint8Array(0));
    return provider;
  }

  /** Tells the shard that this provider has the content. */
  async announce(...contentIds: string[]): Promise<void> {
    const multiaddrs = this.host.getMultiaddrs().map(String);
    await this.#shard.call('announce', { certificate: this.#certificate, contentIds, multiaddrs });
  }

  /** Answers transport-file requests with any bytes. */
  async serveTransports(answer: (contentId: string) => Uint8Array): Promise<void> {
    await this.host.unhandle(TRANSPORT_PROTOCOL);
    await this.host.handle(TRANSPORT_PROTOCOL, async (stream) => {
      const frames = new FrameStream(stream, { maxFrameBytes: 1_000, maxBufferedBytes: 4_000 });
      const asked = await frames.read(5_000).catch(() => null);
      if (!asked) return;
      const bytes = answer(new TextDecoder().decode(asked.subarray()));
      const none = new AceError('ContentUnknown', 'Nothing of it is here');
      frames.send(bytes.byteLength > 0 ? answerOf(bytes) : refusalOf(none));
      await frames.close();
    });
  }

  heardOf<T extends Message['type']>(type: T): Extract<Message, { type: T }>[] {
    return this.heard.filter((m): m is Extract<Message, { type: T }> => m.type === type);
  }

  async #serve(stream: ScriptStream, script: Script): Promise<void> {
    this.streams += 1;
    for (let message = await stream.receive(); message; message = await stream.receive()) {
      this.heard.push(message);
      if (message.type === 'hello') {
        stream.send({ type: 'welcome', certificate: this.#certificate, free: false });
        continue;
      }
      await script(message, stream);
    }
  }
}
