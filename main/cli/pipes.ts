/** What the command line does when the other end of one of its pipes goes away. */

/** `start | head -1` closes a pipe that nobody needs: that must not end a node with its database open. */
export function ignoreClosedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}
