/**
 * Signals that ask this process to stop. The first asks; one that follows at once is the same one, because a signal to
 * the whole process group reaches a process twice when its launcher passes it on as well; a later one means "now".
 */
import type { EventEmitter } from 'node:events';
import { constants } from 'node:os';

export const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const SAME_SIGNAL_MS = 1_000;

export interface StopSignalsContext {
  readonly process: Pick<EventEmitter, 'on'>;
  readonly exit: (code: number) => void;
  /** Never goes back. */
  readonly nowMs: () => number;
}

const REAL_CONTEXT: StopSignalsContext = {
  process,
  exit: (code) => process.exit(code),
  nowMs: () => performance.now(),
};

/** As shells have it: 129, 130 or 143. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/** Calls `stop` once. Listens until the process ends, so that nothing kills it while it closes. */
export function onStopSignal(stop: () => void, context: StopSignalsContext = REAL_CONTEXT): void {
  let askedAtMs: number | null = null;
  for (const signal of STOP_SIGNALS) {
    context.process.on(signal, () => {
      if (askedAtMs === null) {
        askedAtMs = context.nowMs();
        stop();
      } else if (context.nowMs() - askedAtMs > SAME_SIGNAL_MS) {
        context.exit(exitCodeOf(signal));
      }
    });
  }
}

export function stopSignal(): Promise<void> {
  return new Promise((resolve) => onStopSignal(resolve));
}
