/** A large message that comes in parts, in order. Bounded: what would be too large is refused as it comes. */
import { AceError } from '../../../shared/errors.ts';
import { MAX_BATCH_BYTES } from './constants.ts';

export class Parts {
  #parts: Uint8Array[] = [];
  #sizeBytes = 0;

  /** A part at offset 0 forgets what came before. @throws AceError `MessageUnexpected`, `MessageTooLarge` */
  add(offset: number, part: Uint8Array): void {
    if (offset === 0) this.#clear();
    if (offset !== this.#sizeBytes) {
      throw new AceError(
        'MessageUnexpected',
        `A part at ${offset}, where ${this.#sizeBytes} bytes have come`,
      );
    }
    if (offset + part.length > MAX_BATCH_BYTES) {
      this.#clear();
      throw new AceError('MessageTooLarge', `A batch has at most ${MAX_BATCH_BYTES} bytes`);
    }
    // One of nothing would cost memory that its size does not show.
    if (part.length === 0) return;
    this.#parts.push(part);
    this.#sizeBytes += part.length;
  }

  /** All of it; then there is none. */
  take(): Uint8Array {
    const whole = new Uint8Array(Buffer.concat(this.#parts));
    this.#clear();
    return whole;
  }

  #clear(): void {
    this.#parts = [];
    this.#sizeBytes = 0;
  }
}
