/** Files and folders that were handed over together, imported one after the other: one that fails keeps no other out. */
import { isAceError, stopsAll } from '../../shared/errors.ts';
import { m } from '../../shared/i18n/compiled/messages.js';
import type { ContentView, FilesView } from '../../shared/rpc/content.ts';
import { shownName } from '../../shared/shown-name.ts';
import { type ErrorWords, errorWords } from '../format/error-words.ts';

/** One file, or a folder that is found out to be one, and how it is imported. */
export interface FileStep {
  /** Its path where there is one. */
  readonly name: string;
  readonly run: () => Promise<ContentView>;
}

/** A folder, and how to find what is in it. */
export interface FolderStep {
  /** The paths of what is in it begin with it. */
  readonly name: string;
  readonly open: () => Promise<OpenedFolder>;
}

export type ImportStep = FileStep | FolderStep;

export interface OpenedFolder {
  readonly steps: readonly ImportStep[];
  readonly leftOut: FilesView['leftOut'];
}

export interface NotAdded {
  /** Of what is in a folder with the way from there. */
  readonly name: string;
  readonly words: Pick<ErrorWords, 'what'>;
}

export interface ImportCounts {
  readonly added: number;
  /** Were in the library before. */
  readonly known: number;
  readonly notAdded: readonly NotAdded[];
  /** Of these, how many should have been. */
  readonly failed: number;
}

export interface ImportContext {
  /** What is in the library. */
  readonly contents: readonly ContentView[];
  readonly filesIn: (path: string) => Promise<FilesView>;
  readonly importPath: (path: string) => Promise<ContentView>;
  readonly onProgress: (done: number, total: number) => void;
}

export class ImportRun {
  readonly #context: ImportContext;
  readonly #waiting: ImportStep[];
  readonly #here: Set<string>;
  /** Longest first. */
  readonly #folders: string[] = [];
  readonly #leftOut: NotAdded[] = [];
  readonly #failures: ErrorWords[] = [];
  #newOnes = 0;
  #before = 0;

  constructor(steps: readonly ImportStep[], context: ImportContext) {
    this.#context = context;
    this.#waiting = [...steps];
    this.#here = new Set(context.contents.map(({ contentId }) => contentId));
  }

  /** Why files were not imported, in their order: not those that are no media. */
  get failures(): readonly ErrorWords[] {
    return this.#failures;
  }

  get hasFolder(): boolean {
    return this.#folders.length > 0;
  }

  get counts(): ImportCounts {
    return {
      added: this.#newOnes,
      known: this.#before,
      notAdded: this.#leftOut,
      failed: this.#failures.length,
    };
  }

  async run(): Promise<void> {
    for (let step = this.#waiting.shift(); step !== undefined; step = this.#waiting.shift()) {
      const done = this.#newOnes + this.#before + this.#failures.length;
      this.#context.onProgress(done, done + 1 + this.#waiting.length);
      if ('open' in step) await this.#open(step);
      else await this.#import(step);
    }
  }

  async #import(step: FileStep): Promise<void> {
    try {
      this.#count(await step.run());
    } catch (error) {
      if (isFolder(error)) await this.#open({ name: step.name, open: () => this.#folderAt(step.name) });
      else this.#fail(step, error);
    }
  }

  async #folderAt(path: string): Promise<OpenedFolder> {
    const { filesIn, importPath } = this.#context;
    const { files, leftOut } = await filesIn(path);
    return { steps: files.map((file) => ({ name: file, run: () => importPath(file) })), leftOut };
  }

  #count({ contentId }: ContentView): void {
    if (this.#here.has(contentId)) this.#before += 1;
    else this.#newOnes += 1;
    this.#here.add(contentId);
  }

  async #open(folder: FolderStep): Promise<void> {
    try {
      const { steps, leftOut } = await folder.open();
      this.#folders.unshift(folder.name);
      this.#folders.sort((a, b) => b.length - a.length);
      this.#leftOut.push(
        ...leftOut.map(({ path, why }) => ({ name: this.#nameOf(path), words: LEFT_OUT[why] })),
      );
      this.#waiting.unshift(...steps);
    } catch (error) {
      this.#fail(folder, error);
    }
  }

  #fail(step: ImportStep, error: unknown): void {
    const words = errorWords(error);
    for (const { name } of [step, ...(stopsAll(error) ? this.#waiting.splice(0) : [])]) {
      this.#failures.push(words);
      this.#leftOut.push({ name: this.#nameOf(name), words });
    }
  }

  #nameOf(path: string): string {
    const folder = this.#folders.find((one) => path.startsWith(one) && path !== one);
    return shownName(
      folder === undefined ? baseName(path) : path.slice(folder.length).replace(/^[\\/]+/, ''),
    );
  }
}

/** The last name of a path of any system. */
export function baseName(path: string): string {
  return path.replace(/[\\/]+$/, '').replace(/^.*[\\/]/, '');
}

const LEFT_OUT: Readonly<Record<FilesView['leftOut'][number]['why'], NotAdded['words']>> = {
  'no-media': {
    get what() {
      return m.import_no_media();
    },
  },
  unreadable: {
    get what() {
      return m.error_file_unreadable();
    },
  },
};

function isFolder(error: unknown): boolean {
  return isAceError(error, 'FileUnreadable') && error.details.reason === 'folder';
}
