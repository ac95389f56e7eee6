/** The way from these pages to their node: the desktop's bridge, or a WebSocket with the token of the address. */
import { RpcLink } from '../../shared/rpc/link.ts';
import { IpcClient } from './client-ipc.ts';
import { WsClient } from './client-ws.ts';
import { NodeState } from './node.svelte.ts';
import { takeToken, tellOtherTabs, tokenOfOtherTab } from './token.ts';

/** Of the address, of this tab, or of another open one; the desktop window needs none. */
export async function findToken(): Promise<string | null> {
  if (window.aceNode) return null;
  const token = takeToken(location, history, sessionStorage) ?? (await tokenOfOtherTab(sessionStorage));
  tellOtherTabs(sessionStorage); // until the page goes
  return token;
}

export function connectNode(token: string | null): NodeState {
  if (window.aceNode) return new NodeState(new IpcClient(window.aceNode));
  // A link that is never connected refuses every call.
  if (token === null) return new NodeState(new RpcLink(() => undefined), 'no-token');
  const client = new WsClient(location.origin, token, () => node.refuse());
  const node = new NodeState(client);
  return node;
}
