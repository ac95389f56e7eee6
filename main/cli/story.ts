/** What the demo shows while it runs: lines of the story, and the progress bar of what goes on at the moment. */
import { createProgress, type Progress } from './progress.ts';

/** One line of the story, as it happened. */
export interface DemoEvent {
  readonly at: string;
  readonly what: string;
}

export class Story {
  readonly events: DemoEvent[] = [];
  readonly #out: NodeJS.WriteStream;
  #progress: Progress | null = null;

  constructor(out: NodeJS.WriteStream = process.stderr) {
    this.#out = out;
  }

  progress(label: string): Progress {
    this.endProgress();
    this.#progress = createProgress(label, this.#out);
    return this.#progress;
  }

  add(what: string): void {
    this.events.push({ at: new Date().toISOString(), what });
    this.endProgress(); // a bar that is not done has no line break yet
    if (this.#out.isTTY) this.#out.write(`· ${what}\n`);
  }

  endProgress(): void {
    this.#progress?.end();
  }
}
