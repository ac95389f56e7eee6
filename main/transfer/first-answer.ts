/**
 * Asks providers one after the other, each a moment after the one before, until one answers. Who does not answer holds
 * nobody up: a name costs nothing, and where nobody is it takes seconds to see.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Provider } from '../content/provider.ts';

export interface FirstAnswerOptions<T> {
  readonly providers: readonly Provider[];
  readonly ask: (provider: Provider) => Promise<T>;
  /** Who else is known by now: asked while none has answered. */
  readonly more: () => Promise<readonly Provider[]>;
  /** Ends it all: nobody else need be asked. */
  readonly isFinal: (error: unknown) => boolean;
}

export interface FirstAnswer<T> {
  readonly provider: Provider;
  readonly answer: T;
}

/** The next one is asked after this long, or when one has failed. */
const HEAD_START_MS = 300;
/** Asked at once; each holds a connection and what it may answer. */
const MAX_AT_ONCE = 16;
/** Whether anybody else was found is looked at this often. */
const MORE_EVERY_MS = 1_000;

/** @throws what `ask` threw last, or what is final; `null` when there was nobody to ask */
export async function firstAnswer<T>(options: FirstAnswerOptions<T>): Promise<FirstAnswer<T> | null> {
  const { providers, ask, more, isFinal } = options;
  const waiting = [...providers];
  const seen = new Set(waiting.map(({ peerId }) => peerId));
  const running = new Set<Promise<void>>();
  const first = Promise.withResolvers<FirstAnswer<T>>();
  first.promise.catch(() => undefined); // awaited below, if nothing else ends it before
  let answered = false;
  let last: unknown = null;
  const end = (settle: () => void) => {
    answered = true;
    settle();
  };
  const begin = (provider: Provider) => {
    const one: Promise<void> = ask(provider)
      .then(
        (answer) => end(() => first.resolve({ provider, answer })),
        (error: unknown) => {
          last = error;
          if (isFinal(error)) end(() => first.reject(error));
        },
      )
      .finally(() => running.delete(one));
    running.add(one);
  };
  let lookedAtMs = performance.now();
  while (!answered) {
    const next = running.size < MAX_AT_ONCE ? waiting.shift() : undefined;
    if (next) begin(next);
    else if (running.size === 0) break;
    await Promise.race([...running, delay(HEAD_START_MS, null, { ref: false })]);
    if (answered || performance.now() - lookedAtMs < MORE_EVERY_MS) continue;
    lookedAtMs = performance.now();
    // The look-up may fail by now; those that are known are asked all the same.
    for (const provider of await more().catch(() => [])) {
      if (seen.has(provider.peerId)) continue;
      seen.add(provider.peerId);
      // Found later than the crowd that came first: it waits for nobody of it.
      waiting.unshift(provider);
    }
  }
  if (answered) return first.promise;
  if (last !== null) throw last;
  return null;
}
