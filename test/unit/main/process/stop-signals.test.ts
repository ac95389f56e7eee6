import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { onStopSignal } from '../../../../main/process/stop-signals.ts';

function watched() {
  const process = new EventEmitter();
  const seen = { stops: 0, exits: [] as number[], nowMs: 5_000 };
  onStopSignal(() => seen.stops++, {
    process,
    exit: (code) => seen.exits.push(code),
    nowMs: () => seen.nowMs,
  });
  return {
    seen,
    signal: (name: NodeJS.Signals, afterMs: number) => {
      seen.nowMs += afterMs;
      process.emit(name);
    },
  };
}

describe('onStopSignal', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('stops on %s', (name) => {
    const { seen, signal } = watched();
    signal(name, 0);
    expect(seen).toMatchObject({ stops: 1, exits: [] });
  });

  it('takes what follows within a second for the same signal', () => {
    const { seen, signal } = watched();
    signal('SIGTERM', 0);
    signal('SIGTERM', 10);
    signal('SIGINT', 990);
    expect(seen).toMatchObject({ stops: 1, exits: [] });
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('ends at once on a %s that comes later', (name, code) => {
    const { seen, signal } = watched();
    signal('SIGTERM', 0);
    signal(name, 1_001);
    expect(seen).toMatchObject({ stops: 1, exits: [code] });
  });
});
