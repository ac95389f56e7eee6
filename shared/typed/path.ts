/**
 * A path of a file or folder as a person types, pastes or drops it: in quotes, with `~/`, as a `file://` address. What a
 * shell would have expanded reaches a program unexpanded from `--data-dir=~/x`, a service file or a field of a page.
 */
import { trimUnseen } from './invisible.ts';

export interface PathPlace {
  /** The home directory of the user who typed it. */
  readonly home: string;
  readonly isWindows: boolean;
}

/** Opening and closing marks that file managers and people put around a path. */
const QUOTES: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '`': '`',
  '“': '”',
  '‘': '’',
  '«': '»',
};

/** The path that was meant, still relative where it was typed so. What is no special form stays as it is. */
export function typedPath(text: string, place: PathPlace): string {
  const plain = unquoted(trimUnseen(text));
  const path = /^file:/i.test(plain) ? fromFileAddress(plain, place.isWindows) : plain;
  return withHome(path, place);
}

/** Whether it can only be meant as a path: a field that takes links as well asks this first. */
export function looksLikePath(text: string): boolean {
  const plain = unquoted(trimUnseen(text));
  return /^(file:|~$|~[/\\]|\.{0,2}\/|\.{1,2}\\|[a-z]:[/\\]|\\\\)/i.test(plain);
}

function unquoted(text: string): string {
  const closing = QUOTES[text[0] ?? ''];
  return closing !== undefined && text.length > 1 && text.endsWith(closing) ? text.slice(1, -1) : text;
}

/**
 * No use of `URL`: it throws on an address that was put together by hand, and takes what follows a `#` of a file's name
 * for something else.
 */
function fromFileAddress(address: string, isWindows: boolean): string {
  const [, host = '', path = ''] = /^file:(?:\/\/([^/]*))?(.*)$/is.exec(address) ?? [];
  const decoded = decodedWherePossible(path);
  if (!isWindows) return host === '' || host.toLowerCase() === 'localhost' ? decoded : `//${host}${decoded}`;
  const backslashed = decoded.replaceAll('/', '\\');
  if (host !== '' && host.toLowerCase() !== 'localhost') return `\\\\${host}${backslashed}`;
  return backslashed.replace(/^\\+(?=[a-z]:)/i, '');
}

/** A percent sign that begins no escape is itself: `100%.mp4`. */
function decodedWherePossible(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes; // no UTF-8: they stand in the name
    }
  });
}

/** `~name` is somebody else's home, which only the system knows: it stays, and is not found. */
function withHome(path: string, { home, isWindows }: PathPlace): string {
  if (path === '~') return home;
  return path.startsWith('~/') || (isWindows && path.startsWith('~\\')) ? home + path.slice(1) : path;
}
