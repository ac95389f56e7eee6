/**
 * Reads what a media file says of itself in a thread of its own, with memory and time of its own: a file that was made
 * to use up both takes neither from the node. A thread answers one question at a time; starting one takes longer than
 * most answers, so one that is done waits a while for the next, as an import of a folder brings it.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { AceError } from '../../shared/errors.ts';
import type { TrackView } from '../../shared/rpc/content.ts';
import type { ReadBytes } from './tracks.ts';

export type MediaQuestion =
  | { readonly about: 'tracks'; readonly sizeBytes: number }
  | { readonly about: 'duration'; readonly path: string; readonly mimeType: string };

/** Thread → node. */
export type FromMediaThread =
  | { readonly type: 'read'; readonly id: number; readonly start: number; readonly end: number }
  | { readonly type: 'answer'; readonly answer: unknown };

/** Node → thread. */
export interface Asked {
  readonly question: MediaQuestion;
}

/** Node → thread: bytes that it asked for; `null` when they cannot be had. */
export interface BytesRead {
  readonly id: number;
  readonly bytes: Uint8Array | null;
}

/** Longer than pieces are waited for. */
const TIME_MS = 45_000;
/** The description of a video of many hours has room. */
const MOST_HEAP_BYTES = 192 * 1_048_576;
/** Of a thread that waits for the next question: what it has read before must not count against that. */
const MOST_IDLE_HEAP_BYTES = 64 * 1_048_576;
const IDLE_MS = 5_000;
/** So often it is looked at. A thread that reached V8's own limit would take the whole process with it. */
const LOOK_EVERY_MS = 25;
const HEAP_LIMIT_MB = 2_048;

/** Tracks of a file of this size; `null` where it does not say, or claims too much. */
export async function tracksApart(read: ReadBytes, sizeBytes: number): Promise<readonly TrackView[] | null> {
  return (await ask({ about: 'tracks', sizeBytes }, read)) as readonly TrackView[] | null;
}

/** Milliseconds of play; 0 for what is no media, does not say, or claims too much. */
export async function durationApart(path: string, mimeType: string): Promise<number> {
  if (!/^(video|audio)\//.test(mimeType)) return 0;
  const none: ReadBytes = () => Promise.reject(new Error('the thread reads the file itself'));
  return ((await ask({ about: 'duration', path, mimeType }, none)) as number | null) ?? 0;
}

/** Done with its question, and not ended yet. */
let idle: { readonly worker: Worker; readonly ending: NodeJS.Timeout } | null = null;

/** `null` when the thread ended without an answer. */
async function ask(question: MediaQuestion, read: ReadBytes): Promise<unknown> {
  const worker = takeIdle() ?? startThread();
  const late = setTimeout(() => void worker.terminate(), TIME_MS);
  const looking = setInterval(() => void endIfLarge(worker), LOOK_EVERY_MS);
  try {
    const answered = await new Promise<{ readonly answer: unknown } | null>((resolve) => {
      worker.on('message', (message: FromMediaThread) => {
        if (message.type === 'answer') resolve(message);
        else void answerRead(worker, message.id, read(message.start, message.end));
      });
      // Whatever ended it, out of memory above all: the file says nothing that is worth more.
      worker.on('error', () => resolve(null));
      worker.on('exit', () => resolve(null));
      worker.postMessage({ question } satisfies Asked);
    });
    if (answered) await keepIdle(worker);
    else await worker.terminate();
    return answered?.answer ?? null;
  } finally {
    clearTimeout(late);
    clearInterval(looking);
  }
}

function startThread(): Worker {
  const worker = new Worker(workerEntry(), {
    resourceLimits: { maxOldGenerationSizeMb: HEAP_LIMIT_MB },
    stdout: true, // it tells of what it found in the file
    stderr: true,
  });
  for (const output of [worker.stdout, worker.stderr]) output.resume();
  return worker;
}

function takeIdle(): Worker | null {
  if (idle === null) return null;
  const { worker, ending } = idle;
  idle = null;
  clearTimeout(ending);
  forgetListeners(worker);
  worker.ref();
  return worker;
}

/** By name: a worker listens to itself as well. */
function forgetListeners(worker: Worker): void {
  for (const event of ['message', 'error', 'exit']) worker.removeAllListeners(event);
}

/** One waits, and only one that has little left of what it has read. */
async function keepIdle(worker: Worker): Promise<void> {
  const heap = await worker.getHeapStatistics().catch(() => null); // it has ended
  if (heap === null || heap.used_heap_size > MOST_IDLE_HEAP_BYTES || idle !== null) {
    await worker.terminate();
    return;
  }
  forgetListeners(worker);
  worker.unref();
  const ending = setTimeout(() => void takeIdle()?.terminate(), IDLE_MS);
  ending.unref();
  const forget = () => {
    if (idle?.worker === worker) takeIdle();
  };
  worker.on('error', forget).on('exit', forget);
  idle = { worker, ending };
}

/** Also while it computes. */
async function endIfLarge(worker: Worker): Promise<void> {
  const heap = await worker.getHeapStatistics().catch(() => null); // it has ended, or not begun
  if (heap && heap.used_heap_size > MOST_HEAP_BYTES) await worker.terminate();
}

async function answerRead(worker: Worker, id: number, reading: Promise<Uint8Array>): Promise<void> {
  const bytes = await reading.catch(() => null); // not here in time
  worker.postMessage({ id, bytes } satisfies BytesRead);
}

/** Beside this file among the sources; in a build, where this is part of a chunk, among the entries. */
function workerEntry(): string {
  const here = import.meta.dirname;
  const places = [
    join(here, 'media-worker.ts'),
    join(here, 'media-worker.js'),
    join(here, '..', 'media-worker.js'),
  ];
  const found = places.find((path) => existsSync(path));
  if (!found)
    throw new AceError('FileMissing', `The worker that reads media files is missing beside ${here}`);
  return found;
}
