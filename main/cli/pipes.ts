/** What the command line does when the other end of one of its pipes goes away. */

/** Set for a process that must not outlive the one that started it and holds its standard input. */
export const STOP_WITH_STDIN = 'ACE_NODE_STOP_WITH_STDIN';

const STOP_LIMIT_MS = 10_000;

/** `start | head -1` closes a pipe that nobody needs: that must not end a node with its database open. */
export function ignoreClosedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

/** Stops this process as a signal would when its parent is gone, however that ended. */
export function stopWithParent(): void {
  if (process.env[STOP_WITH_STDIN] === undefined) return;
  process.stdin.once('close', () => {
    process.kill(process.pid, 'SIGTERM');
    // What it waits for may be gone as well.
    setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref();
  });
  process.stdin.resume();
  // The pipe alone keeps nothing running. It is a socket, which the type of standard input does not say.
  (process.stdin as Partial<import('node:net').Socket>).unref?.();
}
