/** Requests of one transfer that are under way, by piece. One piece may be asked for at two providers; see `picker.ts`. */
import type { Pending } from './picker.ts';
import type { Member } from './sources.ts';

export interface Flight {
  readonly pieceIndex: number;
  readonly bytes: number;
  readonly video: boolean;
  readonly member: Member;
  readonly sourceId: string;
  readonly startedAtMs: number;
  readonly expectedMs: number;
  /** Asked for though another provider has the same request. */
  readonly isDouble: boolean;
  /** Withdraws the request, if the provider has not begun with it. */
  readonly abort: AbortController;
}

export class Flights {
  readonly #byPiece = new Map<number, Flight[]>();
  readonly #nowMs: () => number;
  /** Time with requests under way, in milliseconds, up to the last time that there was none. */
  #busyMs = 0;
  #busySinceMs = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
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

  all(): Flight[] {
    return [...this.#byPiece.values()].flat();
  }

  /** Bytes that are asked for, each piece once. */
  get bytes(): number {
    return [...this.#byPiece.values()].reduce((sum, [first]) => sum + (first?.bytes ?? 0), 0);
  }

  add(flight: Flight): void {
    if (this.size === 0) this.#busySinceMs = this.#nowMs();
    this.#byPiece.set(flight.pieceIndex, [...(this.#byPiece.get(flight.pieceIndex) ?? []), flight]);
  }

  remove(flight: Flight): void {
    const left = this.#byPiece.get(flight.pieceIndex)?.filter((other) => other !== flight) ?? [];
    if (left.length > 0) this.#byPiece.set(flight.pieceIndex, left);
    else this.#byPiece.delete(flight.pieceIndex);
    if (this.size === 0) this.#busyMs += this.#nowMs() - this.#busySinceMs;
  }

  /** The piece is here: whoever else was asked for it need not send it, if that has not begun. */
  arrived(pieceIndex: number): void {
    for (const flight of this.#byPiece.get(pieceIndex) ?? []) flight.abort.abort();
  }

  /** As the picker looks at them; the first request of each piece, with whether there is a second. */
  pending(deadlineMs: (pieceIndex: number) => number): (Pending & { readonly flight: Flight })[] {
    const nowMs = this.#nowMs();
    return [...this.#byPiece.values()].flatMap(([flight, second]) =>
      flight
        ? [
            {
              flight,
              pieceIndex: flight.pieceIndex,
              bytes: flight.bytes,
              sourceId: flight.sourceId,
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
}
