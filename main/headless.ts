/** The shell without a window: the same pages, in the user's own browser. */
import { type NodeConfig, startNode } from './node.ts';

/**
 * Runs until SIGINT, SIGTERM or the `shutdown` procedure, then stops the node cleanly. A second signal does not wait.
 * Standard output gets exactly one line: the address with the token, for people to click and programs to read. The
 * token is in the fragment, which browsers never send anywhere.
 */
export async function runHeadless(config: NodeConfig): Promise<void> {
  const node = await startNode(config);
  process.stdout.write(`${pagesAddress(node.http)}\n`);

  const signalled = new Promise<void>((resolve) => {
    let asked = false;
    const onSignal = (signal: NodeJS.Signals) => {
      if (asked) process.exit(signal === 'SIGINT' ? 130 : 143);
      asked = true;
      resolve();
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
  await Promise.race([signalled, node.stopped]);
  await node.stop();
}

export function pagesAddress(http: { readonly url: string; readonly token: string }): string {
  return `${http.url.replace(/\/?$/, '/')}#token=${encodeURIComponent(http.token)}`;
}
