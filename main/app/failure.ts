/**
 * How a failure that ends the app is told: in a box, for as long as there is time for it; and once more at the next start
 * where nobody answered. A box that waits for ever would keep the process, and its lock on the data directory, with nobody
 * there to see it.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { App, Dialog } from 'electron';
import { z } from 'zod';
import { isAceError } from '../../shared/errors.ts';
import { storeError } from '../db/store-error.ts';

export const CANNOT_START = 'Ace Node cannot start';
export const HAD_TO_STOP = 'Ace Node had to stop';
/** Somebody who is there has read it by then. */
const ANSWERED_WITHIN_MS = 60_000;

export interface FailureBox {
  readonly app: Pick<App, 'isReady'>;
  readonly dialog: Pick<Dialog, 'showErrorBox' | 'showMessageBox'>;
  /** Where it is kept until somebody has seen it. */
  readonly file: string;
}

const failureSchema = z.object({ title: z.string().max(200), text: z.string().max(4_000) });
export type Failure = z.infer<typeof failureSchema>;

export function explain(error: unknown): string {
  // A disk that is full is met by whatever writes first.
  const known = storeError(error);
  return isAceError(known)
    ? known.message
    : 'Something unexpected happened. The reports folder in the data folder says more.';
}

export interface TellOptions {
  readonly withinMs?: number;
  readonly offersStart?: boolean;
}

/**
 * Resolves when it was answered, or after `withinMs`; the answer is whether to start again, which is offered where what was
 * wrong can be put right outside.
 */
export async function tellFailure(
  box: FailureBox,
  failure: Failure,
  { withinMs = ANSWERED_WITHIN_MS, offersStart = false }: TellOptions = {},
): Promise<boolean> {
  const { app, dialog } = box;
  if (!app.isReady()) {
    dialog.showErrorBox(failure.title, failure.text);
    return false;
  }
  keep(box.file, failure);
  const answer = await Promise.race([
    show(dialog, failure, offersStart ? ['Start again', 'Quit'] : ['Quit']),
    delay(withinMs, null, { ref: false }),
  ]);
  if (answer !== null) forget(box.file);
  return offersStart && answer === 0;
}

/** What the last run could tell nobody. Waits for nobody. */
export function tellEarlierFailure({ dialog, file }: Pick<FailureBox, 'dialog' | 'file'>): void {
  const failure = kept(file);
  if (failure === null) return;
  void show(dialog, { ...failure, title: `${failure.title} the last time` }, ['Continue'])
    .then(() => forget(file))
    // A box that does not open: it is told with the next start.
    .catch(() => undefined);
}

/** The answer is the button's place. */
async function show(
  dialog: Pick<Dialog, 'showMessageBox'>,
  { title, text }: Failure,
  buttons: string[],
): Promise<number> {
  const box = { type: 'error' as const, title: 'Ace Node', message: title, detail: text };
  const { response } = await dialog.showMessageBox({
    ...box,
    ...{ buttons, defaultId: 0, cancelId: buttons.length - 1 },
  });
  return response;
}

/** The box comes in any case: that this cannot be written is no reason to say nothing. */
function keep(file: string, failure: Failure): void {
  try {
    writeFileSync(file, JSON.stringify(failure), { mode: 0o600 });
  } catch {
    process.stderr.write(`${failure.title}: ${failure.text}\n`);
  }
}

/** Where it cannot be written either, nothing was kept. */
function forget(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch (error) {
    process.stderr.write(`ace-node: ${file} cannot be removed: ${String(error)}\n`);
  }
}

function kept(file: string): Failure | null {
  if (!existsSync(file)) return null;
  try {
    return failureSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null; // cut off while it was written
  }
}
