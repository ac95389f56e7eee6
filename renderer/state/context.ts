/**
 * What every component may reach without being handed it. App.svelte sets all but the running node, which Views.svelte
 * sets: views are shown only once there is a snapshot.
 */
import { createContext } from 'svelte';
import type { Importer } from './importer.svelte.ts';
import type { NodeState, RunningNode } from './node.svelte.ts';
import type { PlayerState } from './player.svelte.ts';
import type { Route } from './route.svelte.ts';
import type { TitleTasks } from './title-tasks.svelte.ts';
import type { TopUps } from './top-ups.svelte.ts';

export const [getNode, setNode] = createContext<NodeState>();
export const [getRunningNode, setRunningNode] = createContext<RunningNode>();
export const [getPlayer, setPlayer] = createContext<PlayerState>();
export const [getImporter, setImporter] = createContext<Importer>();
export const [getTitleTasks, setTitleTasks] = createContext<TitleTasks>();
export const [getTopUps, setTopUps] = createContext<TopUps>();
export const [getRoute, setRoute] = createContext<Route>();
