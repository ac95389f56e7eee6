/**
 * Files that become titles: by their path where there is one (the desktop, or one that was typed), handed over to the
 * node where a browser gives none.
 */
import { AceError, isAceError } from '../../shared/errors.ts';
import { m } from '../../shared/i18n/compiled/messages.js';
import type { ContentView } from '../../shared/rpc/content.ts';
import { type RpcFailure, UPLOAD_PATH } from '../../shared/rpc/rpc.ts';
import { shownName } from '../../shared/shown-name.ts';
import { type ErrorWords, errorWords } from '../format/error-words.ts';
import type { NodeState } from './node.svelte.ts';

export interface Upload {
  readonly id: number;
  readonly name: string;
  /** 0 to 1; then the node reads it once more. */
  readonly share: number;
}

/** One file, and how it is imported. */
interface Step {
  readonly name: string;
  readonly step: () => Promise<unknown>;
}

function isFolder(error: unknown): boolean {
  return isAceError(error, 'FileUnreadable') && error.details.reason === 'folder';
}

export class Importer {
  readonly #node: NodeState;
  readonly #token: () => string | null;
  uploads = $state.raw<readonly Upload[]>([]);
  failure = $state.raw<ErrorWords | null>(null);
  #nextId = 1;

  /** @param token of the pages in a browser; `null` where files have paths */
  constructor(node: NodeState, token: () => string | null) {
    this.#node = node;
    this.#token = token;
  }

  /** A file, or a folder with all that is in it. Answers whether all of it worked. */
  async addPath(path: string): Promise<boolean> {
    return this.#each([{ name: path, step: () => this.#importPath(path) }]);
  }

  async addFiles(files: readonly File[]): Promise<void> {
    await this.#each(
      files.map((file) => {
        const path = window.aceNode?.pathOf(file) ?? '';
        return { name: file.name, step: () => (path === '' ? this.#upload(file) : this.#importPath(path)) };
      }),
    );
  }

  /** By the system's own dialog; answers `false` where there is none. */
  async choose(): Promise<boolean> {
    if (this.#node.shell?.kind !== 'desktop') return false;
    let paths: readonly string[] = [];
    const isChosen = await this.#each([
      { name: '', step: async () => ({ paths } = await this.#node.client.call('chooseFiles', {})) },
    ]);
    if (isChosen) await this.#each(paths.map((path) => ({ name: path, step: () => this.#importPath(path) })));
    return true;
  }

  clear(): void {
    this.failure = null;
  }

  /** Each by itself: one that fails keeps no other out, and is named where there are several. */
  async #each(steps: readonly Step[]): Promise<boolean> {
    this.failure = null;
    const failed: { readonly name: string; readonly words: ErrorWords }[] = [];
    let done = 0;
    const waiting = [...steps];
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      try {
        await one.step();
        done += 1;
      } catch (error) {
        const inside = isFolder(error) ? await this.#filesIn(one.name).catch(() => null) : null;
        if (inside) waiting.unshift(...inside);
        else failed.push({ name: shownName(one.name.replace(/^.*[\\/]/, '')), words: errorWords(error) });
      }
    }
    const [first] = failed;
    if (!first) return true;
    const list = failed.map(({ name, words }) => m.import_failed_one({ name, what: words.what })).join(' ');
    this.failure =
      done + failed.length === 1
        ? first.words
        : { what: m.import_failed_some({ done: String(done), failed: String(failed.length) }), next: list };
    return false;
  }

  async #importPath(path: string): Promise<unknown> {
    return this.#node.client.call('importFile', { path });
  }

  async #filesIn(path: string): Promise<Step[]> {
    const { files } = await this.#node.client.call('filesIn', { path });
    return files.map((file) => ({ name: file, step: () => this.#importPath(file) }));
  }

  async #upload(file: File): Promise<ContentView> {
    const id = this.#nextId++;
    const show = (share: number) => {
      const others = this.uploads.filter((upload) => upload.id !== id);
      this.uploads = [...others, { id, name: file.name, share }];
    };
    show(0);
    try {
      return await send(file, this.#token() ?? '', show);
    } finally {
      this.uploads = this.uploads.filter((upload) => upload.id !== id);
    }
  }
}

/** `fetch` does not report how much of a body has gone. */
function send(file: File, token: string, onShare: (share: number) => void): Promise<ContentView> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', `${UPLOAD_PATH}?name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader('Authorization', `Bearer ${token}`);
    request.responseType = 'json';
    request.upload.onprogress = ({ loaded, total }) => onShare(total === 0 ? 0 : loaded / total);
    request.onerror = () => reject(new AceError('NodeNotRunning', 'The node does not answer'));
    request.onload = () => {
      if (request.status === 200) return resolve(request.response as ContentView);
      const { code = 'Internal', message = '' } = (request.response ?? {}) as Partial<RpcFailure>;
      reject(new AceError(code, message));
    };
    request.send(file);
  });
}
