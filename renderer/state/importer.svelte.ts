/**
 * Files that become titles: by their path where there is one (the desktop, or one that was typed), handed over to the
 * node where a browser gives none.
 */
import { AceError } from '../../shared/errors.ts';
import type { ContentView } from '../../shared/rpc/content.ts';
import { type RpcFailure, UPLOAD_PATH } from '../../shared/rpc/rpc.ts';
import { type ErrorWords, errorWords } from '../format/error-words.ts';
import type { NodeState } from './node.svelte.ts';

export interface Upload {
  readonly id: number;
  readonly name: string;
  /** 0 to 1; then the node reads it once more. */
  readonly share: number;
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

  /** Answers whether it worked. */
  async addPath(path: string): Promise<boolean> {
    return this.#try(() => this.#node.client.call('importFile', { path }));
  }

  async addFiles(files: readonly File[]): Promise<void> {
    for (const file of files) {
      const path = window.aceNode?.pathOf(file) ?? '';
      if (path !== '') await this.addPath(path);
      else await this.#try(() => this.#upload(file));
    }
  }

  /** By the system's own dialog; answers `false` where there is none. */
  async choose(): Promise<boolean> {
    if (this.#node.shell?.kind !== 'desktop') return false;
    await this.#try(async () => {
      const chosen = await this.#node.client.call('chooseFiles', {});
      for (const path of chosen.paths) await this.#node.client.call('importFile', { path });
    });
    return true;
  }

  clear(): void {
    this.failure = null;
  }

  async #try(step: () => Promise<unknown>): Promise<boolean> {
    this.failure = null;
    try {
      await step();
      return true;
    } catch (error) {
      this.failure = errorWords(error);
      return false;
    }
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
