/**
 * What the procedures need of a running node: one method per procedure of `shared/rpc/rpc.ts`, and the feed. Transports,
 * tests and the command line see the node only through this.
 */
import type { z } from 'zod';
import type { Feed, inputs, Output, Procedure } from '../../shared/rpc/rpc.ts';
import type { ShellProcedure } from '../../shared/rpc/shell.ts';

/** Input of a procedure after its schema has checked it and filled in defaults. */
export type CheckedInput<P extends Procedure> = z.output<(typeof inputs)[P]>;

/** What the node itself tells: that a snapshot would be another one now, and everything else as it is. */
export interface NodeFeed extends Omit<Feed, 'snapshot'> {
  readonly change: null;
}
export type NodeFeedListener = <T extends keyof NodeFeed>(topic: T, data: NodeFeed[T]) => void;

/** All but those that the shell answers (shell-service.ts). */
type NodeProcedure = Exclude<Procedure, ShellProcedure>;

type ProcedureMethods = {
  readonly [P in NodeProcedure]: (input: CheckedInput<P>) => Promise<Output<P>>;
};

export interface NodeService extends ProcedureMethods {
  /** Tells every change from now on, as often as it happens: `FeedHub` slows it down. The answer unsubscribes. */
  onFeed(listener: NodeFeedListener): () => void;
}

/** The two calls that this folder makes of a logger; pino fits. */
export interface RpcLog {
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

export const NO_LOG: RpcLog = { warn: () => {}, error: () => {} };
