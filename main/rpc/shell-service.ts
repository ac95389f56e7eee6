/** The procedures that the shell answers, not the node; and the shell without a window, which can do none of them. */
import { AceError } from '../../shared/errors.ts';
import type { Output } from '../../shared/rpc/rpc.ts';
import { SHELL_PROCEDURES, type ShellProcedure, type ShellView } from '../../shared/rpc/shell.ts';
import type { CheckedInput } from './service.ts';

export type ShellService = {
  readonly [P in ShellProcedure]: (input: CheckedInput<P>) => Promise<Output<P>>;
};

export function isShellProcedure(name: string): name is ShellProcedure {
  return (SHELL_PROCEDURES as readonly string[]).includes(name);
}

const HEADLESS_VIEW: ShellView = {
  kind: 'headless',
  platform: process.platform,
  autostart: null,
  preferences: null,
  tray: false,
  closing: null,
};

async function refuse(): Promise<never> {
  throw new AceError('NotInThisShell', 'Only the desktop app can do this: open it there');
}

/** Also of a browser that reaches the node of a desktop app: it gets no hold of the desktop. */
export const HEADLESS_SHELL: ShellService = {
  shell: async () => HEADLESS_VIEW,
  setShell: refuse,
  openFolder: refuse,
  chooseFiles: refuse,
};
