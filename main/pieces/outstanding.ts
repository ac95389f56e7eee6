/** Requests of one viewer's stream that have no answer yet. Each keeps its room on the channel until it is settled. */
import { pieceLength } from '../../shared/economy/units.ts';
import type { ArrivedFrom, FetchedPiece, PieceRequest } from './fetching.ts';

export interface Waiting {
  /** `null` until the transport file is here that was asked for along with the piece. */
  request: PieceRequest | null;
  /** Kept for it on the channel. */
  lengthBytes: number;
  readonly askedAtMs: number;
  /** When its answer began, on the clock that nobody sets; another one would be paid a second time. */
  beganAtMs: number | null;
  /** When the last of it was here: it is being booked. */
  endedAtMs: number | null;
  withdrawn: boolean;
  resolve(piece: ArrivedFrom): void;
  reject(error: unknown): void;
}

/** The stream's channel: what is asked for keeps room there. */
export interface Room {
  asked(bytes: number): void;
  answered(bytes: number): void;
}

export class Outstanding {
  readonly #room: Room;
  readonly #byId = new Map<number, Waiting>();
  readonly #onIdle: (() => void)[] = [];
  #nextId = 1;

  constructor(room: Room) {
    this.#room = room;
  }

  get size(): number {
    return this.#byId.size;
  }

  nextId(): number {
    return this.#nextId++;
  }

  /** Waits for the answer to a request whose room is kept already. */
  add(id: number, request: PieceRequest | null, lengthBytes: number): Promise<ArrivedFrom> {
    return new Promise((resolve, reject) => {
      this.#byId.set(id, {
        request,
        lengthBytes,
        askedAtMs: performance.now(),
        beganAtMs: null,
        endedAtMs: null,
        withdrawn: false,
        resolve,
        reject,
      });
    });
  }

  /** One whose answer has not begun; `null` when there is none of this id. */
  notBegun(id: number): Waiting | null {
    const waiting = this.#byId.get(id);
    return waiting && waiting.beganAtMs === null ? waiting : null;
  }

  /** It is known now which piece was asked for, and how much room that needs. */
  named(id: number, request: PieceRequest): void {
    const waiting = this.#byId.get(id);
    if (!waiting) return;
    waiting.request = request;
    this.#room.answered(waiting.lengthBytes);
    waiting.lengthBytes = pieceLength(request.file.sizeBytes, request.pieceIndex);
    this.#room.asked(waiting.lengthBytes);
  }

  /** The piece is stored and paid. */
  booked(id: number, piece: FetchedPiece): void {
    const waiting = this.settle(id);
    if (!waiting) return;
    const { askedAtMs, beganAtMs, endedAtMs } = waiting;
    const nowMs = performance.now();
    waiting.resolve({ ...piece, askedAtMs, beganAtMs: beganAtMs ?? nowMs, endedAtMs: endedAtMs ?? nowMs });
  }

  /** Takes a request off the list; its promise is settled by the caller. */
  settle(id: number): Waiting | null {
    const waiting = this.#byId.get(id);
    if (!waiting) return null;
    this.#byId.delete(id);
    this.#room.answered(waiting.lengthBytes);
    if (this.#byId.size === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
    return waiting;
  }

  failAll(error: unknown): void {
    for (const id of [...this.#byId.keys()]) this.settle(id)?.reject(error);
  }

  /** Resolves when nothing is asked for any more, however it ended. */
  async idle(): Promise<void> {
    if (this.#byId.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onIdle.push(resolve);
    });
  }
}
