/** What the test chose for this process, and what all parts of the double share: what was called, and whether the app is ready. */
const { DOUBLE_HOME = '', DOUBLE_ROOT = '', DOUBLE_LOCALE = 'en-US' } = process.env;
export const places = { home: DOUBLE_HOME, root: DOUBLE_ROOT, locale: DOUBLE_LOCALE };

export type Any = (...args: never[]) => unknown;

export interface Bounds {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * What the key store does when it is asked: its key, Chromium's own that everybody knows, or none now; it gives nothing back of what
 * it took; or it waits for somebody who never comes.
 */
export type Keys = 'own' | 'known' | 'away' | 'lost' | 'silent';

export const options = JSON.parse(process.env.DOUBLE_OPTIONS ?? '{}') as {
  packaged?: boolean;
  hasLock?: boolean;
  trayHost?: boolean;
  displays?: { id: number; workArea: Bounds }[];
  loginItem?: object;
  /** The name of the system's key store; `null`: it does not answer. */
  keyStore?: string | null;
  keys?: Keys;
  /** Nobody answers what the app asks in a box. */
  nobodyThere?: boolean;
  switches?: string[];
  /** What it says its code lies in. */
  appPath?: string;
  /** What the process says it runs on, once its native code is there. */
  platform?: NodeJS.Platform;
};

/** Everything that was called, in order. */
export const calls: [name: string, ...args: unknown[]][] = [];
let ready = false;

export function isReadyNow(): boolean {
  return ready;
}

export function setReady(): void {
  ready = true;
}

export function note(name: string, ...args: unknown[]): void {
  calls.push([name, ...args]);
}

export function beforeReady(name: string): void {
  if (ready) throw new Error(`${name} must be called before the app is ready`);
}

export function afterReady(name: string): void {
  if (!ready) throw new Error(`${name} cannot be used before the app is ready`);
}

/** An event that can be prevented, as Electron's are. */
export function preventable(): { defaultPrevented: boolean; preventDefault(): void } {
  return {
    defaultPrevented: false,
    preventDefault() {
      this.defaultPrevented = true;
    },
  };
}

/** What JSON can carry, for the process that asks. */
export function plain(value: unknown): unknown {
  return value === undefined ? null : JSON.parse(JSON.stringify(value) ?? 'null');
}

/** Every window there ever was: the app closes them, and is told by the last one. */
export const windows: { destroyed: boolean; close(): void }[] = [];
