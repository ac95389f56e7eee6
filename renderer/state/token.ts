/**
 * The token of the pages in a browser: who has it can spend the user's money. It comes in the address, or is pasted,
 * and lives as long as the tab. It is kept nowhere on the disk of the browser: once the node has stopped, another program
 * may listen on its port and be the same origin to the browser, and would find there what the last visit left. Another
 * tab asks the open ones instead.
 */

/** In the session's storage; uploads show it too. */
export const TOKEN_KEY = 'ace-node-token';
const CHANNEL = 'ace-node-token';
/** Open tabs answer at once; a person who has none waits no longer than this for the field to paste it. */
const TABS_ANSWER_WITHIN_MS = 400;

type Message = { readonly asks: true } | { readonly token: string };

/** Takes the token out of the address, where it would stay in the history and in what people copy. */
export function takeToken(location: Location, history: History, storage: Storage): string | null {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given === null) return storage.getItem(TOKEN_KEY);
  storage.setItem(TOKEN_KEY, given);
  history.replaceState(null, '', location.pathname + location.search);
  return given;
}

/** The token of another open tab of this node; `null` when there is none. */
export function tokenOfOtherTab(storage: Storage, withinMs = TABS_ANSWER_WITHIN_MS): Promise<string | null> {
  const channel = new BroadcastChannel(CHANNEL);
  return new Promise((resolve) => {
    const finish = (token: string | null) => {
      clearTimeout(timer);
      channel.close();
      if (token !== null) storage.setItem(TOKEN_KEY, token);
      resolve(token);
    };
    const timer = setTimeout(() => finish(null), withinMs);
    channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if ('token' in data && typeof data.token === 'string') finish(data.token);
    };
    channel.postMessage({ asks: true } satisfies Message);
  });
}

/** Tells other tabs of this node, for as long as this one lives; the answer stops. */
export function tellOtherTabs(storage: Storage): () => void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    const token = storage.getItem(TOKEN_KEY);
    if ('asks' in data && token !== null) channel.postMessage({ token } satisfies Message);
  };
  return () => channel.close();
}

/** What was pasted: the token itself, or the whole address that the node printed. `null` for nothing like it. */
export function readToken(text: string): string | null {
  const trimmed = text.trim();
  const token = /[#&?]token=([^&\s]+)/.exec(trimmed)?.[1] ?? trimmed;
  return /^[A-Za-z0-9_-]{8,128}$/.test(token) ? token : null;
}
