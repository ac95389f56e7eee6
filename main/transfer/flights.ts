/** Requests of one transfer that are under way, by piece. One piece may be asked for at two providers; see `picker.ts`. */
import type { Pending } from './picker.ts';
import type { Member } from './providers.ts';

export interface Flight {
  readonly pieceIndex: number;
  readonly bytes: number;
  readonly video: boolean;
  readonly member: Member;
  readonly providerId: string;
  readonly startedAtMs: number;
  readonly expectedMs: number;
  /** Asked for though another provider has the same request. */
  readonly isDouble: boolean;
  /** Withdraws the request, if the provider has not begun with it. */
  readonly abort: AbortController;
}

export class Flights {
  readonly #byPiece = new Map<number, Flight[]>();
  /** Each ends when its piece is stored, or its failure noted. */
  readonly #landings = new Set<Promise<void>>();
  readonly #isHere: (pieceIndex: number) => boolean;
  readonly #onEnd: () => void;
  /** Time with requests under way, in milliseconds, up to the last time that there was none. */
  #busyMs = 0;
  #busySinceMs = 0;

  /**
   * @param isHere whether the piece is stored: its other provider may still be sending it
   * @param onEnd called when one has ended, however
   */
  constructor(isHere: (pieceIndex: number) => boolean, onEnd: () => void) {
    this.#isHere = isHere;
    this.#onEnd = onEnd;
  }

  get size(): number {
    return this.#byPiece.size;
  }

  get busyMs(): number {
    return this.#busyMs;
  }

  has(pieceIndex: number): boolean {
    return this.#byPiece.has(pieceIndex);
  }

  /** Bytes that are asked for and missing, each piece once. */
  get missingBytes(): number {
    return this.#missing().reduce((sum, [first]) => sum + (first?.bytes ?? 0), 0);
  }

  /** `landing` ends with what comes of it, and does not throw. */
  add(flight: Flight, landing: Promise<void>): void {
    if (this.size === 0) this.#busySinceMs = performance.now();
    this.#byPiece.set(flight.pieceIndex, [...(this.#byPiece.get(flight.pieceIndex) ?? []), flight]);
    const ended = landing.finally(() => {
      this.#landings.delete(ended);
      this.#remove(flight);
      this.#onEnd();
    });
    this.#landings.add(ended);
  }

  /** Resolves when all have ended. */
  async landed(): Promise<void> {
    await Promise.all(this.#landings);
  }

  /** Has those withdrawn of which `isUnwanted` says so; what has begun to arrive still comes. */
  withdraw(isUnwanted: (pieceIndex: number) => boolean): void {
    for (const flights of this.#byPiece.values()) {
      for (const flight of flights) if (isUnwanted(flight.pieceIndex)) flight.abort.abort();
    }
  }

  #remove(flight: Flight): void {
    const left = this.#byPiece.get(flight.pieceIndex)?.filter((other) => other !== flight) ?? [];
    if (left.length > 0) this.#byPiece.set(flight.pieceIndex, left);
    else this.#byPiece.delete(flight.pieceIndex);
    if (this.size === 0) this.#busyMs += performance.now() - this.#busySinceMs;
  }

  /** The piece is here: another provider that was asked for it need not send it, if it has not begun. */
  arrived(pieceIndex: number): void {
    for (const flight of this.#byPiece.get(pieceIndex) ?? []) flight.abort.abort();
  }

  /** As the picker looks at them: the first request of each piece that is missing, with whether there is a second. */
  pending(deadlineMs: (pieceIndex: number) => number): (Pending & { readonly flight: Flight })[] {
    const nowMs = performance.now();
    return this.#missing().flatMap(([flight, second]) =>
      flight
        ? [
            {
              flight,
              pieceIndex: flight.pieceIndex,
              bytes: flight.bytes,
              providerId: flight.providerId,
              deadlineMs: deadlineMs(flight.pieceIndex),
              elapsedMs: nowMs - flight.startedAtMs,
              expectedMs: flight.expectedMs,
              withdrawn: flight.abort.signal.aborted,
              doubled: second !== undefined || flight.isDouble,
            },
          ]
        : [],
    );
  }

  #missing(): Flight[][] {
    return [...this.#byPiece].flatMap(([pieceIndex, flights]) => (this.#isHere(pieceIndex) ? [] : [flights]));
  }
}
