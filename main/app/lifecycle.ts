/**
 * From start to quit of the desktop app: one instance per data directory, the node before the window, links and clicks
 * that lead to a view, and a quit that shows itself and waits, within a bound, until the node has closed its channels
 * and stored everything.
 */
import type { App, BrowserWindow, PowerMonitor } from 'electron';
import { isAceError } from '../../shared/errors.ts';
import type { ClosingView, NavigateView } from '../../shared/rpc/shell.ts';
import type { CrashReports } from '../process/crash-reports.ts';
import { linkIn, type Openings } from './deep-link.ts';
import {
  CANNOT_START,
  explain,
  type Failure,
  type FailureBox,
  HAD_TO_STOP,
  type TellOptions,
  tellEarlierFailure,
  tellFailure,
} from './failure.ts';

/** What the app runs; `stop` must be safe to call once at any time. */
export interface Stoppable {
  stop(): Promise<void>;
}

/** Channels close in a second or two with peers that answer; the rest is for those that do not. */
export const QUIT_WITHIN_MS = 20_000;
/** Windows ends a program five seconds after the user's login ends, and so does logind when the computer shuts down. */
export const SESSION_END_WITHIN_MS = 4_000;
/** How long a box that says why it had to stop stays open: somebody who looks at the window has read it by then. */
const STOPPED_TOLD_MS = 15_000;

/** What is seen of a start: a window, one among the running programs, or an icon in the tray only. */
export type FirstWindow = 'shown' | 'minimized' | 'none';

export interface LifecycleContext<Node extends Stoppable> {
  readonly app: Pick<App, 'isReady' | 'whenReady' | 'on' | 'quit' | 'exit'>;
  readonly dialog: FailureBox['dialog'];
  readonly failureFile: string;
  readonly openings: Openings;
  /** Calls back when the process is asked to stop; called once the app is ready, for Electron's own handlers come before. */
  readonly onStopSignal: (stop: () => void) => void;
  /** The same for the end of the session on Windows, which it then puts off; the answer is that of `quit`. */
  readonly onSessionEnd: (stop: () => boolean) => void;
  readonly powerMonitor: () => Pick<PowerMonitor, 'on'>;
  /** What the system gives when it shuts down. */
  readonly shutdownWithinMs: number;
  readonly argv: readonly string[];
  readonly startNode: () => Promise<Node>;
  /** Opens the window on a running node. */
  readonly openWindow: (node: Node, minimized: boolean) => BrowserWindow;
  /** Without one, links, clicks and further starts open it. */
  readonly firstWindow: (node: Node) => FirstWindow;
  /** Closing the window does not quit. */
  readonly keepsRunning: () => boolean;
  /** @returns whether a page was there to show it, of a node that has something to show */
  readonly showOnPage: (node: Node, view: NavigateView) => boolean;
  readonly onClosing: (node: Node, closing: ClosingView) => void;
  /** Starts the app once more when it has ended; on this link. */
  readonly startAgain: (link: string | null) => void;
  readonly reports: CrashReports;
  readonly nowMs: () => number;
}

export class DesktopApp<Node extends Stoppable> {
  readonly #context: LifecycleContext<Node>;
  #node: Node | null = null;
  #window: BrowserWindow | null = null;
  /** A view that no page was there to show yet. */
  #pending: NavigateView | null = null;
  #closing: ClosingView | null = null;
  /** The user has started the app once more, maybe before there was a node to show. */
  #asked = false;
  /** The user has started the app while it closed, on this link: it had the lock still, so it is started in the other one's place. */
  #again: { readonly link: string | null } | null = null;
  /** Exit code; 1 once anything went wrong. */
  #exitCode = 0;
  #failure: unknown = null;
  #telling: Promise<boolean> | null = null;
  #hasStopped = false;
  /** Ends a closing that takes too long. */
  #bound: NodeJS.Timeout | undefined;

  constructor(context: LifecycleContext<Node>) {
    this.#context = context;
  }

  get window(): BrowserWindow | null {
    return this.#window?.isDestroyed() === false ? this.#window : null;
  }

  get closing(): ClosingView | null {
    return this.#closing;
  }

  /** Resolves when the app is up, or was asked to quit because it cannot be. */
  async run(): Promise<void> {
    const { app, argv } = this.#context;
    app.on('activate', () => this.show());
    app.on('window-all-closed', () => {
      if (!this.#context.keepsRunning()) app.quit();
    });
    app.on('before-quit', (event) => {
      if (this.#node === null) return;
      event.preventDefault();
      this.quit();
    });

    await app.whenReady();
    this.#context.onStopSignal(() => this.quit());
    this.#context.onSessionEnd(() => this.quit(SESSION_END_WITHIN_MS));
    // Unless it is prevented, the system does not wait for the channels to close.
    onShutdown(this.#context.powerMonitor(), (event) => {
      event.preventDefault();
      this.quit(this.#context.shutdownWithinMs);
    });
    try {
      this.#node = await this.#context.startNode();
    } catch (error) {
      return await this.#cannotStart(error);
    }
    // Something went wrong while it started, and its owner is being told.
    if (this.#failure !== null) return void this.quit();
    tellEarlierFailure(this.#box);
    try {
      this.#openFirst(this.#node, linkIn(argv));
    } catch (error) {
      // The node runs: it is closed as after any other error.
      this.fail(error);
    }
  }

  show(): void {
    if (this.#node === null || this.#closing !== null) return;
    const window = this.window ?? this.#newWindow(this.#node);
    if (window.isMinimized()) window.restore();
    window.focus();
  }

  /** Opens the window on a view. */
  go(view: NavigateView): void {
    this.#pending = view;
    this.show();
    this.showPending();
  }

  /** A page of ours is there now, or the node runs now. */
  showPending(): void {
    if (this.#node === null || this.#pending === null || this.window === null) return;
    if (this.#context.showOnPage(this.#node, this.#pending)) this.#pending = null;
  }

  /**
   * The one way to the end. Asked again while it closes, it ends sooner where the new asker gives less time: a computer that is
   * shut down does not wait for what a user gave it.
   * @param withinMs the process ends then at the latest
   * @returns whether there is a node that has to be closed before
   */
  quit(withinMs = QUIT_WITHIN_MS): boolean {
    const node = this.#node;
    if (node === null) this.#context.app.quit();
    else this.#close(node, withinMs);
    return node !== null;
  }

  #close(node: Node, withinMs: number): void {
    const atMs = this.#context.nowMs();
    const before = this.#closing;
    if (before !== null && before.untilMs <= atMs + withinMs) return;
    // Only a box is open still; it is told once more.
    if (this.#hasStopped) {
      this.#context.app.exit(this.#exitCode);
      return;
    }
    this.#closing = { sinceMs: before?.sinceMs ?? atMs, untilMs: atMs + withinMs };
    this.#endWithin(withinMs);
    this.#showClosing(node, this.#closing);
    if (before !== null) return;
    node
      .stop()
      .catch((error: unknown) => {
        this.#context.reports.report('stop-failed', error);
        this.#exitCode = 1;
        this.#failure ??= error;
      })
      .then(() => this.#end());
  }

  /** An error that nothing handled: what is stored is right, what is in memory may not be. */
  fail(error: unknown): void {
    const { reports } = this.#context;
    reports.report('unhandled', error);
    this.#exitCode = 1;
    this.#failure ??= error;
    if (this.#node !== null) this.quit();
    else void this.#cannotStart(error);
  }

  async #cannotStart(error: unknown): Promise<void> {
    // What goes wrong while that is told changes nothing.
    if (this.#failure !== null && this.#failure !== error) return;
    this.#failure = error;
    this.#exitCode = 1;
    this.#context.reports.report('start-failed', error);
    const failure = { title: CANNOT_START, text: explain(error) };
    const offersStart = isAceError(error, 'KeyStoreLocked');
    await this.#thenExit(async () => {
      if (await this.#tell(failure, { offersStart })) this.#context.startAgain(null);
    });
  }

  /** A link of a cold start: the first argument of its kind, or what came before the node was there. */
  #openFirst(node: Node, link: string | null): void {
    this.#context.openings.listen((opened) => this.#open(opened));
    if (link !== null) this.#open(link);
    else if (this.#pending !== null || this.#asked) this.show();
    else this.#showFirst(node);
  }

  #showFirst(node: Node): void {
    const first = this.#context.firstWindow(node);
    if (first === 'shown') this.show();
    else if (first === 'minimized') this.#newWindow(node, true);
  }

  #newWindow(node: Node, minimized = false): BrowserWindow {
    const window = this.#context.openWindow(node, minimized);
    this.#window = window;
    // Where closing it quits, it stays to show that the channels are being closed; who closes it again has seen that.
    window.on('close', (event) => {
      if (this.#closing !== null || this.#context.keepsRunning()) return;
      event.preventDefault();
      this.quit();
    });
    return window;
  }

  #open(link: string | null): void {
    if (this.#closing !== null) this.#again = { link: link ?? this.#again?.link ?? null };
    else if (link === null) {
      this.#asked = true;
      this.show();
    } else this.go({ view: 'watch', link, contentId: null });
  }

  #endWithin(withinMs: number): void {
    const { app, reports } = this.#context;
    clearTimeout(this.#bound);
    this.#bound = setTimeout(() => {
      reports.report('stop-too-slow', new Error(`The node did not stop within ${withinMs} ms`));
      app.exit(1);
    }, withinMs);
  }

  /** A window or a tray that cannot show it is no reason not to close. */
  #showClosing(node: Node, closing: ClosingView): void {
    try {
      this.#context.onClosing(node, closing);
    } catch (error) {
      this.#context.reports.report('unhandled', error);
    }
  }

  /** The node has stopped. */
  async #end(): Promise<void> {
    clearTimeout(this.#bound);
    this.#hasStopped = true;
    await this.#thenExit(async () => {
      if (this.#failure !== null) {
        const failure = { title: HAD_TO_STOP, text: explain(this.#failure) };
        await this.#tell(failure, { withinMs: this.#toldWithinMs() });
      }
      if (this.#again !== null) this.#context.startAgain(this.#again.link);
    });
  }

  /** A system that ends the process waits for no box either: what is not seen is told at the next start. */
  #toldWithinMs(): number {
    const leftMs = (this.#closing?.untilMs ?? 0) - this.#context.nowMs();
    return Math.max(0, Math.min(STOPPED_TOLD_MS, leftMs));
  }

  /** Whatever goes wrong before: a process that stayed, with nothing to be seen of it, would keep the lock. */
  async #thenExit(before: () => Promise<void>): Promise<void> {
    try {
      await before();
    } catch (error) {
      this.#exitCode = 1;
      this.#context.reports.report('unhandled', error);
    }
    // A node that came up although its start was given up is closed first.
    if (this.#node === null || this.#hasStopped) this.#context.app.exit(this.#exitCode);
  }

  /** One box, however many ask for it. */
  #tell(failure: Failure, options: TellOptions): Promise<boolean> {
    this.#telling ??= tellFailure(this.#box, failure, options);
    return this.#telling;
  }

  get #box(): FailureBox {
    const { app, dialog, failureFile } = this.#context;
    return { app, dialog, file: failureFile };
  }
}

/** Electron's types leave out the event that its documentation describes. */
function onShutdown(
  monitor: Pick<PowerMonitor, 'on'>,
  listener: (event: { preventDefault(): void }) => void,
): void {
  monitor.on('shutdown', listener as () => void);
}
