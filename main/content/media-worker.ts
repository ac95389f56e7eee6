/** The thread of `media-thread.ts`: answers one question, and asks for the bytes that it needs for that. */
import { parentPort, workerData } from 'node:worker_threads';
import { AceError, invariant } from '../../shared/errors.ts';
import type { BytesRead, FromMediaThread, MediaQuestion } from './media-thread.ts';
import { durationMsOf, type ReadBytes, tracksOf } from './tracks.ts';

invariant(parentPort !== null, 'this file runs as a worker');
const port = parentPort;
const question = workerData as MediaQuestion;
const waiting = new Map<number, { resolve(bytes: Uint8Array): void; reject(error: unknown): void }>();
let nextId = 1;

port.on('message', ({ id, bytes }: BytesRead) => {
  const reader = waiting.get(id);
  waiting.delete(id);
  if (bytes) reader?.resolve(bytes);
  else reader?.reject(new AceError('PieceUnknown', 'The bytes did not come'));
});

const post = (message: FromMediaThread) => port.postMessage(message);

const read: ReadBytes = (start, end) =>
  new Promise((resolve, reject) => {
    const id = nextId++;
    waiting.set(id, { resolve, reject });
    post({ type: 'read', id, start, end });
  });

const answer =
  question.about === 'tracks'
    ? await tracksOf(read, question.sizeBytes)
    : await durationMsOf(question.path, question.mimeType);
post({ type: 'answer', answer });
