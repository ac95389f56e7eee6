/** The same procedures for a Node.js process: the command line drives a running node through this. */
import { WebSocket } from 'ws';
import { AceError } from '../../shared/errors.ts';
import { RpcLink } from '../../shared/rpc/link.ts';
import type { NodeClient } from '../../shared/rpc/rpc.ts';

/** Largest answer taken: a page of settlements is far below it. */
const MAX_ANSWER_BYTES = 64 * 1_048_576;
const HANDSHAKE_TIMEOUT_MS = 5_000;

export interface WsClient extends NodeClient {
  close(): Promise<void>;
}

/**
 * Connects once; it does not reconnect by itself, since a command should end with its node.
 * @param url address of the node's pages, such as `http://127.0.0.1:6878/`
 * @throws AceError `NodeNotRunning` when nobody answers there or the token is refused
 */
export async function connect(url: string, token: string): Promise<WsClient> {
  const target = new URL('/rpc', url);
  target.protocol = 'ws:';
  target.searchParams.set('token', token);
  const ws = new WebSocket(target, {
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    maxPayload: MAX_ANSWER_BYTES,
    perMessageDeflate: false,
  });
  await new Promise<void>((resolve, reject) => {
    ws.once('open', resolve);
    ws.once('error', (cause) => {
      reject(
        new AceError('NodeNotRunning', `No node answers at ${target.origin.replace('ws:', 'http:')}`, {
          cause,
        }),
      );
    });
  });
  const link = new RpcLink((frame) => ws.send(frame));
  ws.on('message', (data) => link.receive(data.toString()));
  // The close that follows an error tells the callers.
  ws.on('error', () => {});
  ws.once('close', () => link.setConnected(false));
  link.setConnected(true);
  return {
    call: (procedure, input) => link.call(procedure, input),
    subscribe: (listener) => link.subscribe(listener),
    onConnection: (listener) => link.onConnection(listener),
    async close() {
      if (ws.readyState === WebSocket.CLOSED) return;
      const closed = new Promise<void>((resolve) => ws.once('close', () => resolve()));
      ws.close();
      await closed;
    },
  };
}
