/** Where the window was, kept over restarts; and where to put it when the screen that it was on is gone. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { BrowserWindow, Rectangle, Screen } from 'electron';
import { z } from 'zod';

export const DEFAULT_SIZE = { width: 1_180, height: 780 } as const;
export const LEAST_SIZE = { width: 380, height: 480 } as const;

/** So much of the title bar must be on a screen to be got hold of. */
const VISIBLE_WIDTH = 120;
const TITLE_HEIGHT = 32;
const SAVE_AFTER_MS = 500;

const stateSchema = z.object({
  x: z.number().int(),
  y: z.number().int(),
  width: z.number().int().min(1).max(100_000),
  height: z.number().int().min(1).max(100_000),
  maximized: z.boolean(),
});
export type WindowState = z.infer<typeof stateSchema>;

/** `null` when the system should choose the place. */
export interface Placement {
  readonly bounds: Rectangle | null;
  readonly size: { readonly width: number; readonly height: number };
  readonly maximized: boolean;
}

export function readWindowState(file: string): WindowState | null {
  if (!existsSync(file)) return null;
  try {
    return stateSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null; // as on a first start
  }
}

/** @param screens the screens that are there now, the main one first; their work areas, without bars and docks */
export function place(state: WindowState | null, screens: readonly Rectangle[]): Placement {
  const [main] = screens;
  const fits = (wanted: number, least: number, most: number | undefined) =>
    Math.max(least, Math.min(wanted, most ?? wanted));
  const at = state && screens.find((screen) => holdsTitle(screen, state));
  const area = at || main;
  const size = {
    width: fits(state?.width ?? DEFAULT_SIZE.width, LEAST_SIZE.width, area?.width),
    height: fits(state?.height ?? DEFAULT_SIZE.height, LEAST_SIZE.height, area?.height),
  };
  const bounds = state && at ? { x: state.x, y: state.y, ...size } : null;
  return { bounds, size, maximized: state?.maximized ?? false };
}

function holdsTitle(screen: Rectangle, { x, y, width }: WindowState): boolean {
  const left = Math.max(screen.x, x);
  const right = Math.min(screen.x + screen.width, x + width);
  return right - left >= VISIBLE_WIDTH && y >= screen.y && y + TITLE_HEIGHT <= screen.y + screen.height;
}

export function workAreas(screen: Pick<Screen, 'getPrimaryDisplay' | 'getAllDisplays'>): Rectangle[] {
  const main = screen.getPrimaryDisplay();
  const others = screen.getAllDisplays().filter(({ id }) => id !== main.id);
  return [main, ...others].map(({ workArea }) => workArea);
}

/** Writes the state down a moment after the window was moved, and when it closes. */
export function keepWindowState(
  window: BrowserWindow,
  file: string,
  onError: (error: unknown) => void,
): void {
  let timer: NodeJS.Timeout | null = null;
  const save = () => {
    if (timer) clearTimeout(timer);
    timer = null;
    if (window.isDestroyed() || window.isMinimized()) return;
    const state: WindowState = { ...window.getNormalBounds(), maximized: window.isMaximized() };
    try {
      writeFileSync(file, JSON.stringify(state), { mode: 0o600 });
    } catch (error) {
      onError(error);
    }
  };
  const soon = () => {
    timer ??= setTimeout(save, SAVE_AFTER_MS);
  };
  window.on('resize', soon);
  window.on('move', soon);
  window.on('maximize', soon);
  window.on('unmaximize', soon);
  window.on('close', save);
  window.on('closed', () => {
    if (timer) clearTimeout(timer);
  });
}
