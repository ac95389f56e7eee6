/**
 * What the procedures about the shell take and tell: the desktop window's own settings, the way its files are opened,
 * and the token of this node. The headless shell answers `shell` too, and refuses what only a desktop can do with
 * `NotInThisShell`.
 */
import { z } from 'zod';

/** Languages that the pages, the tray and the notifications have. */
export const LANGUAGES = ['en', 'ru'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Views of the pages, in the order of their navigation. The shell can ask for each. */
export const VIEWS = [
  'watch',
  'sharing',
  'traffic',
  'wallet',
  'credit',
  'settlements',
  'network',
  'settings',
] as const;
export type ViewName = (typeof VIEWS)[number];

export const shellPreferencesSchema = z
  .object({
    /** A start at login opens no window; it takes a tray, a second start or the dock to see it. */
    startHidden: z.boolean(),
    /** Closing the window leaves the node running; otherwise it quits the app. */
    keepRunning: z.boolean(),
    /** Tell what happens while the window is not in front. */
    notifications: z.boolean(),
    /** Of the tray, the menu and the notifications; pages tell the shell theirs. */
    language: z.enum(LANGUAGES),
  })
  .strict();
export type ShellPreferences = z.infer<typeof shellPreferencesSchema>;

/** The app closes: channels are being closed and everything is stored. */
export interface ClosingView {
  readonly sinceMs: number;
  /** The process ends then at the latest, whatever is left; nothing that was paid is lost by that. */
  readonly untilMs: number;
}

export interface ShellView {
  readonly kind: 'desktop' | 'headless';
  /** `process.platform` of the node's machine. */
  readonly platform: string;
  /** Whether it starts at login; `null` where this shell cannot do so (headless, or not installed). */
  readonly autostart: boolean | null;
  /** `null` in the headless shell, which has none of these. */
  readonly preferences: ShellPreferences | null;
  /** There is a tray icon. */
  readonly tray: boolean;
  readonly closing: ClosingView | null;
}

/**
 * The shell asks the page to show something: a notification was clicked, or a link was opened in the system. A link is
 * what a stranger's page may have handed to the system: it is shown like pasted text and nothing is played, and so
 * paid for, before the user says so.
 */
export interface NavigateView {
  readonly view: ViewName;
  /** An `acestream:` or `ace:` link as it came, at most 256 characters. */
  readonly link: string | null;
  /** Content that the view should bring into sight. */
  readonly contentId: string | null;
}

export const MAX_LINK_CHARS = 256;

export const shellInputs = {
  shell: z.object({}).strict(),
  /** What is left out stays as it is. */
  setShell: shellPreferencesSchema.partial().extend({ autostart: z.boolean().optional() }).strict(),
  openFolder: z.object({ folder: z.enum(['data', 'reports']) }).strict(),
  chooseFiles: z.object({}).strict(),
  apiToken: z.object({}).strict(),
  renewApiToken: z.object({}).strict(),
} as const;

export interface ShellOutputs {
  shell: ShellView;
  /** Holds at once. @throws AceError `NotInThisShell` */
  setShell: ShellView;
  /** In the system's file manager: the data folder, or the one with the crash reports. @throws `NotInThisShell` */
  openFolder: Record<string, never>;
  /** The system's dialog; empty when it was left without a choice. @throws `NotInThisShell` */
  chooseFiles: { readonly paths: readonly string[] };
  /** What scripts and browsers show to drive this node, and the file (mode 0600) that it is kept in. */
  apiToken: { readonly token: string; readonly file: string };
  /** The old one is worth nothing from now on: every WebSocket is closed with 4001 soon after this answer. */
  renewApiToken: { readonly token: string };
}

/** The procedures that the shell itself answers; all others are the node's. */
export const SHELL_PROCEDURES = ['shell', 'setShell', 'openFolder', 'chooseFiles'] as const;
export type ShellProcedure = (typeof SHELL_PROCEDURES)[number];

/** A WebSocket was closed because the token was renewed. */
export const TOKEN_RENEWED_CLOSE_CODE = 4_001;
