/**
 * Files that become titles: by their path where there is one (the desktop, or one that was typed), handed over to the
 * node where a browser gives none.
 */
import { AceError } from '../../shared/errors.ts';
import type { ContentView } from '../../shared/rpc/content.ts';
import { type RpcFailure, UPLOAD_PATH } from '../../shared/rpc/rpc.ts';
import { shownName } from '../../shared/shown-name.ts';
import { plainAmount } from '../format/amount.ts';
import { type ErrorWords, errorWords } from '../format/error-words.ts';
import { type Dropped, filesOf } from './dropped.ts';
import { baseName, type ImportCounts, ImportRun, type ImportStep } from './import-run.ts';
import type { NodeState } from './node.svelte.ts';

export interface Upload {
  readonly id: number;
  readonly name: string;
  /** 0 to 1; then the node reads it once more. */
  readonly share: number;
}

/** Of several files: how many of them are done. */
export interface ImportProgress {
  readonly id: number;
  readonly done: number;
  readonly total: number;
}

/** What became of a folder, or of several files of which some were not imported. */
export interface ImportReport extends ImportCounts {
  readonly id: number;
  /** Of the one folder that was handed over; `null` of several things. */
  readonly name: string | null;
}

export class Importer {
  readonly #node: NodeState;
  readonly #token: () => string | null;
  uploads = $state.raw<readonly Upload[]>([]);
  /** Of what is imported where it is more than one file. */
  runs = $state.raw<readonly ImportProgress[]>([]);
  /** Why the one file that was handed over last was not imported. */
  failure = $state.raw<ErrorWords | null>(null);
  /** Each until a person has read it. */
  reports = $state.raw<readonly ImportReport[]>([]);
  /** What access to the next ones costs, in XAC, as it is typed; empty: nothing. */
  price = $state('');
  premium = $state(false);
  #nextId = 1;

  /** @param token of the pages in a browser; `null` where files have paths */
  constructor(node: NodeState, token: () => string | null) {
    this.#node = node;
    this.#token = token;
  }

  /** A file, or a folder with all that is in it. Answers whether all of it worked. */
  async addPath(path: string): Promise<boolean> {
    return this.#each([this.#ofPath(path)]);
  }

  async addFiles(files: readonly File[]): Promise<void> {
    await this.#each(files.map((file) => this.#ofFile(file)));
  }

  /** Files and folders. */
  async addDropped(dropped: readonly Dropped[]): Promise<void> {
    await this.#each(
      dropped.map((one) => (one.kind === 'file' ? this.#ofFile(one.file) : this.#ofFolder(one.folder))),
    );
  }

  /** By the system's own dialog; answers `false` where there is none. */
  async choose(): Promise<boolean> {
    if (this.#node.shell?.kind !== 'desktop') return false;
    try {
      const { paths } = await this.#node.client.call('chooseFiles', {});
      await this.#each(paths.map((path) => this.#ofPath(path)));
    } catch (error) {
      this.failure = errorWords(error);
    }
    return true;
  }

  /** What failed is not looked at any more. A report stays until it is dismissed. */
  clear(): void {
    this.failure = null;
  }

  dismiss(id: number): void {
    this.reports = this.reports.filter((report) => report.id !== id);
  }

  /** Answers whether all of it worked. */
  async #each(steps: readonly ImportStep[]): Promise<boolean> {
    this.failure = null;
    const id = this.#nextId++;
    const run = new ImportRun(steps, {
      contents: this.#node.contents.data ?? [],
      filesIn: (path) => this.#node.client.call('filesIn', { path }),
      importPath: (path) => this.#importPath(path),
      onProgress: (done, total) => this.#showRun(id, total > 1 ? { id, done, total } : null),
    });
    await run.run();
    this.#showRun(id, null);
    const [one] = steps;
    if (run.hasFolder || (steps.length > 1 && run.failures.length > 0)) {
      const name = steps.length === 1 && one ? shownName(baseName(one.name)) : null;
      this.reports = [...this.reports, { id, name, ...run.counts }];
    } else this.failure = run.failures[0] ?? null;
    return run.failures.length === 0;
  }

  #showRun(id: number, progress: ImportProgress | null): void {
    this.runs = [...this.runs.filter((run) => run.id !== id), ...(progress ? [progress] : [])];
  }

  #ofFile(file: File, name = file.name): ImportStep {
    const path = window.aceNode?.pathOf(file) ?? '';
    return path === '' ? { name, run: () => this.#upload(file) } : this.#ofPath(path);
  }

  #ofFolder(folder: FileSystemDirectoryEntry): ImportStep {
    const open = async () => {
      const { files, leftOut } = await filesOf(folder);
      return { steps: files.map(({ path, file }) => this.#ofFile(file, path)), leftOut };
    };
    return { name: folder.fullPath, open };
  }

  #ofPath(path: string): ImportStep {
    return { name: path, run: () => this.#importPath(path) };
  }

  async #importPath(path: string): Promise<ContentView> {
    return this.#node.client.call('importFile', { path, ...this.#terms() });
  }

  /** What cannot be read as a price is for the node to refuse: it must not become a title that costs nothing. */
  #terms(): { priceXac?: string; premium?: boolean } {
    return this.price.trim() === '' ? {} : { priceXac: plainAmount(this.price), premium: this.premium };
  }

  async #upload(file: File): Promise<ContentView> {
    const id = this.#nextId++;
    const show = (share: number) => {
      const others = this.uploads.filter((upload) => upload.id !== id);
      this.uploads = [...others, { id, name: file.name, share }];
    };
    show(0);
    try {
      return await send(file, this.#terms(), this.#token() ?? '', show);
    } finally {
      this.uploads = this.uploads.filter((upload) => upload.id !== id);
    }
  }
}

/** `fetch` does not report how much of a body has gone. */
function send(
  file: File,
  { priceXac, premium }: { priceXac?: string; premium?: boolean },
  token: string,
  onShare: (share: number) => void,
): Promise<ContentView> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const query = new URLSearchParams({ name: file.name });
    if (priceXac !== undefined) query.set('price', priceXac);
    if (priceXac !== undefined && premium) query.set('premium', '1');
    request.open('POST', `${UPLOAD_PATH}?${query}`);
    request.setRequestHeader('Authorization', `Bearer ${token}`);
    request.responseType = 'json';
    request.upload.onprogress = ({ loaded, total }) => onShare(total === 0 ? 0 : loaded / total);
    request.onerror = () => reject(new AceError('NodeNotRunning', 'The node does not answer'));
    request.onload = () => {
      if (request.status === 200) return resolve(request.response as ContentView);
      const failure = (request.response ?? {}) as Partial<RpcFailure>;
      const { code = 'Internal', message = '', details = {} } = failure;
      reject(new AceError(code, message, { details }));
    };
    request.send(file);
  });
}
