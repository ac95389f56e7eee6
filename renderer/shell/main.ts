/** Shows the app. */
import './app.css';
import { mount } from 'svelte';
import { findToken } from '../state/connect.ts';
import { language } from '../state/language.svelte.ts';
import { theme } from '../state/theme.svelte.ts';
import App from './App.svelte';

language.start();
theme.start();
const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
mount(App, { target, props: { token: await findToken() } });
