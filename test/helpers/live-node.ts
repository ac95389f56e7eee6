/** Whole nodes with their HTTP servers, in this process, on one devnet. */
import { join } from 'node:path';
import type { RunningNode } from '../../main/node/node.ts';
import { startNode } from '../../main/node/node.ts';
import { createProcedures, type Procedures } from '../../main/rpc/procedures.ts';
import { AceError } from '../../shared/errors.ts';
import type { Input, Output, Procedure } from '../../shared/rpc/rpc.ts';
import type { Devnet } from './devnet.ts';
import { joinedNode } from './devnet.ts';

export interface LiveNode extends RunningNode {
  call<P extends Procedure>(procedure: P, input: Input<P>): Promise<Output<P>>;
  /** The playlist of a broadcast. */
  manifest(contentId: string): string;
  at(path: string): string;
}

export async function liveNode(net: Devnet, name: string, httpPort = 0): Promise<LiveNode> {
  const node = await startNode({ ...joinedNode(net), dataDir: join(net.dir, name), httpPort });
  const procedures: Procedures = createProcedures(node.service);
  const at = (path: string) => new URL(path, node.http.url).href;
  const stop = net.owns(() => node.stop());
  return {
    service: node.service,
    feed: node.feed,
    wallet: node.wallet,
    log: node.log,
    http: node.http,
    stopped: node.stopped,
    get isRunning() {
      return node.isRunning;
    },
    get peer() {
      return node.peer;
    },
    get lastPort() {
      return node.lastPort;
    },
    stop,
    at,
    manifest: (contentId) => at(`/ace/manifest.m3u8?content_id=${contentId}`),
    async call(procedure, input) {
      const reply = await procedures.dispatch(procedure, input);
      if ('error' in reply) throw new AceError(reply.error.code, reply.error.message);
      return reply.output as never;
    },
  };
}

/** Sequence numbers that a playlist lists. */
export async function sequencesOf(url: string): Promise<number[]> {
  const text = await (await fetch(url)).text();
  return [...text.matchAll(/\/(\d+)\.(?:ts|m4s)$/gm)].map(([, sequence]) => Number(sequence));
}
