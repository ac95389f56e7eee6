/** The same done with many titles, one after the other: what fails keeps no other out, and is named. */
import { AceError, stopsAll } from '../../shared/errors.ts';
import type { ContentView } from '../../shared/rpc/content.ts';
import type { NodeClient } from '../../shared/rpc/rpc.ts';
import { type ErrorWords, errorWords } from '../format/error-words.ts';

export const TITLE_TASKS = ['pause', 'resume', 'pin', 'unpin', 'remove'] as const;
export type TitleTask = (typeof TITLE_TASKS)[number];

export interface TaskProgress {
  readonly task: TitleTask;
  readonly done: number;
  readonly total: number;
}

export interface TaskOutcome {
  readonly task: TitleTask;
  readonly done: number;
  readonly failed: readonly { readonly name: string; readonly words: ErrorWords }[];
}

/** Enough for the node to be busy with the next while a page hears of the one before. */
const AT_ONCE = 4;

/** Those to which it makes a difference. */
export function suitedTo(task: TitleTask, titles: readonly ContentView[]): readonly ContentView[] {
  switch (task) {
    case 'pause':
      return titles.filter(({ paused }) => !paused);
    case 'resume':
      return titles.filter(({ paused }) => paused);
    // The user's own file is never removed to make room.
    case 'pin':
      return titles.filter(({ sourcePath, pinned }) => sourcePath === null && !pinned);
    case 'unpin':
      return titles.filter(({ sourcePath, pinned }) => sourcePath === null && pinned);
    case 'remove':
      return titles;
  }
}

export class TitleTasks {
  readonly #client: NodeClient;
  readonly #playing: () => string | null;
  /** What is under way; one at a time. */
  progress = $state.raw<TaskProgress | null>(null);
  /** What became of the last one, until it is cleared or another begins. */
  outcome = $state.raw<TaskOutcome | null>(null);

  /** @param playing content id of what plays here: it is not removed */
  constructor(client: NodeClient, playing: () => string | null) {
    this.#client = client;
    this.#playing = playing;
  }

  async run(task: TitleTask, titles: readonly ContentView[]): Promise<void> {
    if (this.progress !== null) return;
    const waiting = [...suitedTo(task, titles)];
    const total = waiting.length;
    const failed: TaskOutcome['failed'][number][] = [];
    let done = 0;
    const fail = ({ name }: ContentView, error: unknown) => failed.push({ name, words: errorWords(error) });
    const work = async () => {
      for (let title = waiting.shift(); title !== undefined; title = waiting.shift()) {
        try {
          await this.#do(task, title);
          done += 1;
        } catch (error) {
          fail(title, error);
          if (stopsAll(error)) for (const other of waiting.splice(0)) fail(other, error);
        }
        this.progress = { task, done: done + failed.length, total };
      }
    };
    this.outcome = null;
    this.progress = { task, done: 0, total };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    this.progress = null;
    this.outcome = { task, done, failed };
  }

  clear(): void {
    this.outcome = null;
  }

  async #do(task: TitleTask, { contentId, name }: ContentView): Promise<void> {
    switch (task) {
      case 'pause':
      case 'resume':
        await this.#client.call('pauseContent', { contentId, paused: task === 'pause' });
        return;
      case 'pin':
      case 'unpin':
        await this.#client.call('pinContent', { contentId, pinned: task === 'pin' });
        return;
      case 'remove':
        if (contentId === this.#playing()) throw new AceError('ContentInUse', `"${name}" is being played`);
        await this.#client.call('deleteContent', { contentId });
        return;
    }
  }
}
