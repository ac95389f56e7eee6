/**
 * What went wrong and was handled by nobody, kept on this machine for a user who wants to report it: JSON lines in
 * `reports/crashes.jsonl`. Nothing is ever sent anywhere, and no memory is dumped, because a dump would hold the keys.
 *
 * Invariants: a report is at most {@link MAX_REPORT_BYTES}; the file is turned over at {@link MAX_FILE_BYTES} and one
 * older file is kept; only the user can read them; secrets are blotted out before anything is written. Writing is
 * synchronous, since the process may end right after.
 */
import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export const MAX_REPORT_BYTES = 16_384;
export const MAX_FILE_BYTES = 262_144;

const OWNER_ONLY_FILE = 0o600;
const OWNER_ONLY_FOLDER = 0o700;
const MAX_CAUSES = 4;

export type CrashKind =
  /** Thrown, or rejected, and caught by nobody in the main process. */
  | 'unhandled'
  /** The desktop app could not start. */
  | 'start-failed'
  /** The process of the pages ended. */
  | 'renderer-gone'
  /** Another process of Electron's ended: GPU, network, audio. */
  | 'child-gone'
  | 'unresponsive'
  | 'preload-failed'
  /** The app did not close in the time that it has for that. */
  | 'stop-too-slow'
  | 'stop-failed'
  /** The entry that starts the app at login could not be brought up to date. */
  | 'autostart-failed';

export interface CrashReports {
  readonly folder: string;
  /** Never throws: what cannot be written is said on stderr. */
  report(kind: CrashKind, error: unknown, details?: Readonly<Record<string, string | number>>): void;
}

export interface CrashReportsOptions {
  readonly folder: string;
  readonly version: string;
  /** What must never be in a report, as it is at the moment of the crash: token, passphrase. */
  readonly secrets: () => readonly (string | undefined)[];
  readonly nowMs?: () => number;
}

export function createCrashReports(options: CrashReportsOptions): CrashReports {
  const { folder, version, secrets, nowMs = Date.now } = options;
  const file = join(folder, 'crashes.jsonl');
  return {
    folder,
    report(kind, error, details = {}) {
      try {
        const text = (value: string) => blotOut(value, secrets());
        const line = bounded({
          at: new Date(nowMs()).toISOString(),
          kind,
          version,
          platform: `${process.platform}-${process.arch}`,
          node: process.versions.node,
          details: Object.fromEntries(
            Object.entries(details).map(([name, value]) => [
              name,
              typeof value === 'string' ? text(value) : value,
            ]),
          ),
          errors: errorsOf(error).map(text),
        });
        mkdirSync(folder, { recursive: true, mode: OWNER_ONLY_FOLDER });
        turnOver(file, line.length);
        appendFileSync(file, line, { mode: OWNER_ONLY_FILE });
      } catch (cause) {
        process.stderr.write(`ace-node: no crash report could be written in ${folder}: ${String(cause)}\n`);
      }
    },
  };
}

/** The error and what caused it, outermost first. */
function errorsOf(error: unknown): string[] {
  const texts: string[] = [];
  for (let at = error; at !== undefined && at !== null && texts.length < MAX_CAUSES; ) {
    texts.push(at instanceof Error ? (at.stack ?? `${at.name}: ${at.message}`) : String(at));
    at = at instanceof Error ? at.cause : undefined;
  }
  return texts;
}

interface Report {
  readonly at: string;
  readonly kind: CrashKind;
  readonly version: string;
  readonly platform: string;
  readonly node: string;
  readonly details: object;
  readonly errors: readonly string[];
}

/** The stacks give way first; they are the only part that can be long, besides what a details field may hold. */
function bounded(report: Report): string {
  const whole = line(report);
  if (whole.length <= MAX_REPORT_BYTES) return whole;
  const [first = ''] = report.errors;
  // Escapes take up to six bytes for a character.
  const short = line({ ...report, errors: [`${first.slice(0, 1_024)}…`], details: {} });
  return short.length <= MAX_REPORT_BYTES ? short : line({ ...report, errors: ['too long'], details: {} });
}

/** ASCII only, so that characters are bytes. */
function line(report: Report): string {
  const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return `${JSON.stringify(report).replace(/[^\x20-\x7e]/g, escaped)}\n`;
}

function turnOver(file: string, moreBytes: number): void {
  const sizeBytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (sizeBytes + moreBytes > MAX_FILE_BYTES && sizeBytes > 0) renameSync(file, `${file}.1`);
}

/**
 * Without what must stay secret: known secrets, tokens in addresses and headers, what looks like a private key or a
 * recovery phrase, the folder names of the user's home.
 */
export function blotOut(text: string, secrets: readonly (string | undefined)[]): string {
  let clean = text;
  for (const secret of secrets) if (secret) clean = clean.replaceAll(secret, '[secret]');
  const home = homedir();
  if (home.length > 1) clean = clean.replaceAll(home, '~');
  return clean
    .replace(
      /\b(token|passphrase|password|secret|mnemonic|phrase)(["']?\s*[=:]\s*["']?)[^\s"'&,}]+/gi,
      '$1$2[secret]',
    )
    .replace(/\bBearer\s+\S+/gi, 'Bearer [secret]')
    .replace(/(\/broadcast\/[^/\s]+\/)[^/\s]+/g, '$1[secret]')
    .replace(/\b(?:0x)?[0-9a-f]{64,}\b/gi, '[hex]')
    .replace(/\b(?:[a-z]{3,8}\s+){11,23}[a-z]{3,8}\b/g, '[words]');
}
