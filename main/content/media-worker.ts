/** The thread of `media-thread.ts`: answers one question after another, and asks for the bytes that it needs for that. */
import { parentPort } from 'node:worker_threads';
import { AceError, invariant } from '../../shared/errors.ts';
import type { Asked, BytesRead, FromMediaThread, MediaQuestion } from './media-thread.ts';
import { durationMsOf, type ReadBytes, tracksOf } from './tracks.ts';

invariant(parentPort !== null, 'this file runs as a worker');
const port = parentPort;
const waiting = new Map<number, { resolve(bytes: Uint8Array): void; reject(error: unknown): void }>();
let nextId = 1;

port.on('message', (message: Asked | BytesRead) => {
  if ('question' in message) {
    void answer(message.question);
    return;
  }
  const { id, bytes } = message;
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

/** One that fails takes the thread with it, which is what the node waits for. */
async function answer(question: MediaQuestion): Promise<void> {
  const found =
    question.about === 'tracks'
      ? await tracksOf(read, question.sizeBytes)
      : await durationMsOf(question.path, question.mimeType);
  waiting.clear();
  post({ type: 'answer', answer: found });
}
