/**
 * Verifies claims on worker threads, so that signatures take the other cores and never the event loop of the shard.
 *
 * - A few at a time are verified inline: handing them over would take longer. Threads start with the first crowd.
 * - Jobs go out many to a message, and a worker is given no more than it has begun plus one message: any that is free
 *   takes the next.
 * - What waits is bounded: one more claim is refused, with the time after which to ask again.
 * - A worker that dies is replaced and its jobs are done again; a job that outlived two workers is done inline.
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Claim } from '../../shared/channel/claim.ts';
import { AceError } from '../../shared/errors.ts';
import { type ClaimBasis, checkClaim, type ProvenClaim } from './claim-check.ts';
import { type ClaimJob, jobBytes, type OutcomesMessage, packJobs, unpackOutcomes } from './claim-jobs.ts';

export interface VerifyPoolOptions {
  /** Threads at most. */
  readonly workers?: number;
  /** Claims that wait or are being verified, at most. */
  readonly maxJobs?: number;
  /** Up to so many at a time are verified inline. */
  readonly inlineJobs?: number;
  /** A worker ended by itself. The jobs are taken care of. */
  readonly onDeath: (error: unknown) => void;
  /** The worker's script; for tests. */
  readonly entry?: string;
}

interface Job extends ClaimJob {
  readonly resolve: (proven: ProvenClaim) => void;
  readonly reject: (error: unknown) => void;
  /** Workers that died with it. */
  deaths: number;
}

interface Slot {
  readonly worker: Worker;
  /** Jobs under way, by the number of their message. */
  readonly messages: Map<number, readonly Job[]>;
  /** It has answered before. */
  works: boolean;
}

const MAX_WORKERS = 8;
const MAX_JOBS = 8_192;
const INLINE_JOBS = 4;
/** Jobs in one message: some milliseconds of work, so that a worker's answers come steadily. */
const MESSAGE_JOBS = 64;
const MESSAGES_AHEAD = 2;
const MAX_DEATHS = 2;
/** Workers in a row that ended before they had answered anything: this machine cannot run them. */
const MAX_FAILED_STARTS = 3;
/** A full pool has worked off a good part by then. */
const RETRY_AFTER_MS = 250;
/** A worker holds one message of small jobs and some keys. */
const WORKER_HEAP_MB = 64;

export class VerifyPool {
  readonly #maxWorkers: number;
  readonly #maxJobs: number;
  readonly #inlineJobs: number;
  readonly #entry: string;
  readonly #onDeath: (error: unknown) => void;
  readonly #slots = new Set<Slot>();
  /** Oldest first. */
  #queue: Job[] = [];
  #underWay = 0;
  #nextMessage = 1;
  #failedStarts = 0;
  #isPlanned = false;
  #stopped = false;

  constructor(options: VerifyPoolOptions) {
    this.#maxWorkers = options.workers ?? Math.min(MAX_WORKERS, availableParallelism());
    this.#maxJobs = options.maxJobs ?? MAX_JOBS;
    this.#inlineJobs = options.inlineJobs ?? INLINE_JOBS;
    this.#entry = options.entry ?? workerEntry();
    this.#onDeath = options.onDeath;
  }

  /** Threads running now. */
  get workers(): number {
    return this.#slots.size;
  }

  /** @throws AceError `ClaimInvalid`, `InvalidSignature`, `MessageMalformed`, `TooManyRequests`, `ShardUnavailable` */
  async verify(basis: ClaimBasis, claim: Claim): Promise<ProvenClaim> {
    if (this.#stopped) throw stopping();
    if (this.#queue.length + this.#underWay >= this.#maxJobs) {
      throw new AceError('TooManyRequests', 'More claims wait than the shard takes at once', {
        details: { retryAfterMs: RETRY_AFTER_MS },
      });
    }
    jobBytes(claim);
    return new Promise((resolve, reject) => {
      this.#queue.push({ basis, claim, resolve, reject, deaths: 0 });
      this.#plan();
    });
  }

  /** What still waits is refused; threads are gone when this resolves. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const left = this.#queue.splice(0);
    for (const { messages } of this.#slots) left.push(...[...messages.values()].flat());
    for (const { reject } of left) reject(stopping());
    await Promise.all([...this.#slots].map(({ worker }) => worker.terminate()));
  }

  /** Once a turn of the event loop, so that all that came in it is seen together. */
  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    setImmediate(() => {
      this.#isPlanned = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    if (this.#stopped) return;
    const cannot = this.#failedStarts >= MAX_FAILED_STARTS || this.#maxWorkers === 0;
    if (cannot || this.#queue.length + this.#underWay <= this.#inlineJobs) {
      for (const job of this.#queue.splice(0, MESSAGE_JOBS)) verifyInline(job);
      if (this.#queue.length > 0) this.#plan();
      return;
    }
    while (this.#queue.length > 0) {
      const slot = this.#freeSlot();
      if (!slot) return;
      this.#send(slot);
    }
  }

  /** The one with the least to do; a new one rather than a busy one. */
  #freeSlot(): Slot | null {
    let free: Slot | null = null;
    for (const slot of this.#slots) if (!free || slot.messages.size < free.messages.size) free = slot;
    if (free?.messages.size === 0) return free;
    if (this.#slots.size < this.#maxWorkers) return this.#start();
    return free && free.messages.size < MESSAGES_AHEAD ? free : null;
  }

  #send(slot: Slot): void {
    // A small crowd is shared out among all.
    const share = Math.ceil(this.#queue.length / this.#maxWorkers);
    const jobs = this.#queue.splice(0, Math.min(MESSAGE_JOBS, share));
    const id = this.#nextMessage++;
    slot.messages.set(id, jobs);
    this.#underWay += jobs.length;
    const packed = packJobs(jobs);
    slot.worker.ref();
    slot.worker.postMessage({ id, jobs: packed }, [packed.buffer]);
  }

  #start(): Slot {
    const worker = new Worker(this.#entry, {
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: WORKER_HEAP_MB },
    });
    const slot: Slot = { worker, messages: new Map(), works: false };
    let cause: unknown;
    worker.on('message', (message: OutcomesMessage) => this.#onAnswer(slot, message));
    worker.on('error', (error) => {
      cause = error;
    });
    worker.on('exit', (exitCode) => this.#onExit(slot, exitCode, cause));
    this.#slots.add(slot);
    return slot;
  }

  #onAnswer(slot: Slot, message: OutcomesMessage): void {
    const jobs = slot.messages.get(message.id) ?? [];
    slot.messages.delete(message.id);
    slot.works = true;
    this.#failedStarts = 0;
    this.#underWay -= jobs.length;
    // Kept for the next load, without keeping the process alive.
    if (slot.messages.size === 0) slot.worker.unref();
    const outcomes = unpackOutcomes(message);
    jobs.forEach(({ resolve, reject }, i) => {
      const outcome = outcomes[i];
      if (outcome && 'proven' in outcome) resolve(outcome.proven);
      else reject(outcome?.refusal);
    });
    if (this.#queue.length > 0) this.#dispatch();
  }

  #onExit(slot: Slot, exitCode: number, cause: unknown): void {
    this.#slots.delete(slot);
    if (this.#stopped) return;
    if (!slot.works) this.#failedStarts += 1;
    const lost = [...slot.messages.values()].flat();
    this.#underWay -= lost.length;
    for (const job of lost) job.deaths += 1;
    this.#queue.unshift(...lost.filter(({ deaths }) => deaths < MAX_DEATHS));
    for (const job of lost) if (job.deaths >= MAX_DEATHS) verifyInline(job);
    this.#onDeath(
      new AceError('Internal', `A thread that verifies claims ended with code ${exitCode}`, { cause }),
    );
    this.#plan();
  }
}

function verifyInline({ basis, claim, resolve, reject }: Job): void {
  try {
    resolve(checkClaim(basis, claim));
  } catch (error) {
    reject(error);
  }
}

function stopping(): AceError {
  return new AceError('ShardUnavailable', 'The validator is stopping');
}

/** Beside this file among the sources; in a build, where this is part of a chunk, among the entries. */
function workerEntry(): string {
  const here = import.meta.dirname;
  const places = [
    join(here, 'verify-worker.ts'),
    join(here, 'verify-worker.js'),
    join(here, '..', 'verify-worker.js'),
  ];
  const found = places.find((path) => existsSync(path));
  if (!found) throw new AceError('FileMissing', `The worker that verifies claims is missing beside ${here}`);
  return found;
}
