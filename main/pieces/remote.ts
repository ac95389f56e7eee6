/** Messages in and out of one piece-exchange stream, each byte metered as payment or as other protocol. */
import { varint } from 'multiformats';
import type { FrameStream } from '../p2p/frames.ts';
import type { Meter } from '../p2p/meter.ts';
import { decodeMessage, encodeMessage, type Message, PAYMENT_TYPES } from './messages.ts';

/**
 * Verifies a peer's certificate and that it is for the device of this connection; the answer is its account.
 * @throws AceError `InvalidCertificate`
 */
export type CertificateCheck = (certificate: Uint8Array, device: Uint8Array) => Promise<string>;

export class Remote {
  readonly #frames: FrameStream;
  readonly #meter: Meter;

  constructor(frames: FrameStream, meter: Meter) {
    this.#frames = frames;
    this.#meter = meter;
  }

  /** `null` at the end of the stream. @throws AceError `MessageMalformed`, `PeerClosed`, `RequestTimeout` */
  async receive(timeoutMs?: number): Promise<Message | null> {
    const frame = await this.#frames.read(timeoutMs);
    if (!frame) return null;
    const message = decodeMessage(frame);
    this.#count(message, frame.byteLength);
    return message;
  }

  /** Sends messages together. @throws AceError `PeerClosed` */
  send(...messages: Message[]): void {
    const encoded = messages.map(encodeMessage);
    messages.forEach((message, i) => {
      this.#count(message, encoded[i]?.byteLength ?? 0);
    });
    this.#frames.send(...encoded);
  }

  writable(): Promise<void> {
    return this.#frames.writable();
  }

  close(): Promise<void> {
    return this.#frames.close();
  }

  abort(error: Error): void {
    this.#frames.abort(error);
  }

  #count(message: Message, frameBytes: number): void {
    const wireBytes = frameBytes + varint.encodingLength(frameBytes);
    if (PAYMENT_TYPES.has(message.type)) this.#meter.add({ paymentBytes: wireBytes });
    else
      this.#meter.add({
        protocolBytes: wireBytes - (message.type === 'chunk' ? message.data.byteLength : 0),
      });
  }
}
