/** What the command line does when its output is not read any more, or the process that started it is gone. */
import { AceError } from '../../shared/errors.ts';
import { variable } from '../util/environment.ts';

/** Set for a process that must not outlive the one that started it and holds its standard input. */
export const STOP_WITH_STDIN = 'ACE_NODE_STOP_WITH_STDIN';

const STOP_LIMIT_MS = 10_000;

/**
 * `start | head -1` closes a pipe that is not needed any more, and `start > log` may fill a disk: neither must end a node with its
 * database open. `fail` is called for the second.
 */
export function watchOutput(fail: (error: AceError) => void): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EPIPE') return;
      const why = cause.code === 'ENOSPC' ? 'the disk is full' : cause.code;
      fail(new AceError('StoreFailed', `The output cannot be written: ${why}`, { cause }));
    });
  }
}

/** Stops this process as a signal would when its parent is gone, however that ended. */
export function stopWithParent(): void {
  if (variable(process.env, STOP_WITH_STDIN) === undefined) return;
  process.stdin.once('close', () => {
    process.kill(process.pid, 'SIGTERM');
    // What it waits for may be gone as well.
    setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref();
  });
  process.stdin.resume();
  // The pipe alone keeps nothing running. It is a socket, which the type of standard input leaves out.
  (process.stdin as Partial<import('node:net').Socket>).unref?.();
}
