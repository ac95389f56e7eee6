/** The way from these pages to their node: the desktop's bridge, or a WebSocket with the token of the address. */
import { RpcLink } from '../../shared/rpc/link.ts';
import { IpcClient } from './client-ipc.ts';
import { takeToken, WsClient } from './client-ws.ts';
import { NodeState } from './node.svelte.ts';

export function connectNode(): NodeState {
  if (window.aceNode) return new NodeState(new IpcClient(window.aceNode));
  const token = takeToken(location, history, sessionStorage);
  // A link that is never connected refuses every call.
  if (token === null) return new NodeState(new RpcLink(() => undefined), 'no-token');
  const client = new WsClient(location.origin, token, () => node.refuse());
  const node = new NodeState(client);
  return node;
}
