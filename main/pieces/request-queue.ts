/** Requests of one stream, in the order in which they are served. Bounded: more than may wait is a protocol error. */
import { AceError } from '../../shared/errors.ts';
import { MAX_QUEUED_REQUESTS } from './constants.ts';
import { unexpected } from './fetching.ts';
import type { Message } from './messages.ts';

export type Request = Extract<Message, { type: 'request' }>;

export class RequestQueue {
  readonly #requests: Request[] = [];
  /** Requests at its head that the sender is about to answer: it is too late to withdraw them. */
  #held = 0;

  get length(): number {
    return this.#requests.length;
  }

  get first(): Request | undefined {
    return this.#requests[0];
  }

  head(most: number): Request[] {
    return this.#requests.slice(0, most);
  }

  /** @throws AceError `TooManyRequests`, `MessageUnexpected` when its id is one that waits */
  add(request: Request): void {
    if (this.#requests.length >= MAX_QUEUED_REQUESTS) {
      throw new AceError('TooManyRequests', 'More requests than a stream may have waiting', {
        reaction: 'drop-peer',
      });
    }
    if (this.#requests.some(({ id }) => id === request.id)) throw unexpected('viewer', request);
    this.#requests.push(request);
  }

  /** The sender is about to answer so many at the head. */
  hold(count: number): void {
    this.#held = count;
  }

  /** Takes off those at the head that are being answered now. */
  shift(count: number): void {
    this.#requests.splice(0, count);
    this.#held = 0;
  }

  /** Takes a request off that nobody answers yet; `null` when there is none of this id. */
  withdraw(id: number): Request | null {
    const at = this.#requests.findIndex((request) => request.id === id);
    return at < this.#held ? null : (this.#requests.splice(at, 1)[0] ?? null);
  }
}
