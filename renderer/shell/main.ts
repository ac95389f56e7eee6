/** Chooses the way to the node, then shows the app. */
import './app.css';
import { mount } from 'svelte';
import { IpcClient } from '../state/client-ipc.ts';
import { takeToken, WsClient } from '../state/client-ws.ts';
import { language } from '../state/language.svelte.ts';
import { NodeState } from '../state/node.svelte.ts';
import { theme } from '../state/theme.svelte.ts';
import App from './App.svelte';

function connectedState(): NodeState {
  if (window.aceNode) return new NodeState(new IpcClient(window.aceNode));
  const token = takeToken(location, history, sessionStorage);
  if (token === null) return new NodeState(null);
  const client = new WsClient(location.origin, token, () => state.refuse());
  const state = new NodeState(client);
  return state;
}

language.start();
theme.start();
const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
mount(App, { target, props: { node: connectedState() } });
