/**
 * How a command reaches a node: through the one that runs on the data directory, or by starting one for as long as the
 * command takes. Either way the command sees the same procedures.
 */
import { existsSync } from 'node:fs';
import { AceError, isAceError } from '../../shared/errors.ts';
import type { Feed, FeedTopic, Input, Output, Procedure } from '../../shared/rpc/rpc.ts';
import type { NodeConfig } from '../data-dir/config.ts';
import { readControl } from '../data-dir/control-file.ts';
import { DataDir } from '../data-dir/data-dir.ts';
import { connect } from '../rpc/ws-client.ts';
import { withPassphrase } from './passphrase.ts';
import { checkReadable } from './readable.ts';

export interface NodeConnection {
  call<P extends Procedure>(procedure: P, input: Input<P>): Promise<Output<P>>;
  subscribe(listener: <T extends FeedTopic>(topic: T, data: Feed[T]) => void): () => void;
  /** The node was running before this command. */
  readonly remote: boolean;
  close(): Promise<void>;
}

const STARTING_WAIT_MS = 10_000;
const STARTING_POLL_MS = 200;

/** @throws AceError `DataDirInUse` when a node holds the directory and does not answer; what `startNode` throws */
export async function openConnection(config: NodeConfig): Promise<NodeConnection> {
  const running = await runningNode(new DataDir(config.dataDir));
  if (running) return sameNetwork(running, config);
  try {
    return await ownNode({ ...config, httpPort: config.httpPort ?? 0 });
  } catch (error) {
    if (!isAceError(error, 'DataDirInUse')) throw error;
    return waitForNode(config, error);
  }
}

/**
 * For commands that only ask: asking must not make a wallet and a network where there are none.
 * @throws AceError `NodeNotRunning`, `DataDirMismatch`, `FileUnreadable`, and what {@link openConnection} throws
 */
export async function openExisting(config: NodeConfig): Promise<NodeConnection> {
  checkNodeFolder(new DataDir(config.dataDir));
  return openConnection(config);
}

/** @throws AceError `NodeNotRunning` when no node was ever made there, `DataDirMismatch`, `FileUnreadable` */
export function checkNodeFolder({ path, nodeDb, isValidatorFolder }: DataDir): void {
  checkReadable(path);
  if (isValidatorFolder) {
    throw new AceError(
      'DataDirMismatch',
      `${path} is a validator's folder and has no node: give the --data-dir of a node`,
    );
  }
  if (!existsSync(nodeDb)) {
    throw new AceError('NodeNotRunning', `There is no node in ${path} yet: ace-node start makes one`);
  }
}

/** A running node keeps to its validator: another one cannot be asked for beside it. */
async function sameNetwork(
  connection: NodeConnection,
  { joinMultiaddr }: NodeConfig,
): Promise<NodeConnection> {
  if (joinMultiaddr === undefined) return connection;
  const { shard } = await connection.call('snapshot', {});
  if (shard.multiaddr === joinMultiaddr) return connection;
  await connection.close();
  throw otherNetwork(shard.multiaddr);
}

/** @param multiaddr of the validator that the running node has joined; `null`: none */
export function otherNetwork(multiaddr: string | null): AceError {
  const has = multiaddr === null ? 'a devnet of its own' : `another validator (${multiaddr})`;
  return new AceError(
    'DataDirInUse',
    `A node runs on this directory with ${has}: stop it, or leave --join out`,
  );
}

/** A connection to the node that runs on the directory; `null` when none does. */
export async function runningNode(dataDir: DataDir): Promise<NodeConnection | null> {
  const control = readControl(dataDir);
  if (!control) return null;
  try {
    const client = await connect(control.url, control.token);
    return {
      call: (procedure, input) => client.call(procedure, input),
      subscribe: (listener) => client.subscribe(listener),
      remote: true,
      close: () => client.close(),
    };
  } catch (error) {
    if (isAceError(error, 'NodeNotRunning')) return null; // what a killed node left behind
    throw error;
  }
}

async function ownNode(config: NodeConfig): Promise<NodeConnection> {
  // Loaded only where no node runs: most commands ask one that does, and answer at once.
  const [{ startNode }, { createProcedures }] = await Promise.all([
    import('../node/node.ts'),
    import('../rpc/procedures.ts'),
  ]);
  const node = await startNode(await withPassphrase(config));
  const procedures = createProcedures(node.service);
  return {
    async call(procedure, input) {
      const answer = await procedures.dispatch(procedure, input);
      if ('error' in answer) {
        const { code, message, details } = answer.error;
        throw new AceError(code, message, details ? { details } : {});
      }
      return answer.output as never;
    },
    subscribe: (listener) => node.feed.subscribe(listener),
    remote: false,
    close: () => node.stop(),
  };
}

/** Another process has just taken the directory: its address appears in a moment. */
async function waitForNode(config: NodeConfig, inUse: AceError): Promise<NodeConnection> {
  for (let waitedMs = 0; waitedMs < STARTING_WAIT_MS; waitedMs += STARTING_POLL_MS) {
    await new Promise((resolve) => setTimeout(resolve, STARTING_POLL_MS));
    const connection = await runningNode(new DataDir(config.dataDir));
    if (connection) return sameNetwork(connection, config);
  }
  throw inUse;
}
