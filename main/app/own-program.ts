/** How this app is started again: by the system at login, and by itself. */
import { readLink } from './deep-link.ts';

/** How a start at login differs from one by the user. */
export const AT_LOGIN_SWITCH = '--at-login';

/** Where an AppImage's runtime puts what is in it, for as long as it runs. */
const APP_IMAGE_FOLDER = /\/(?:\.mount_|appimage_extracted_)[^/]*\//;

export interface OwnStart {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly execPath: string;
}

/**
 * The file that the user has. An AppImage runs from a folder that is gone with it, and names itself in a variable; anywhere else
 * that variable is somebody's, and would have another program started in this one's place.
 */
export function ownProgram({ env, execPath }: Pick<OwnStart, 'env' | 'execPath'>): string {
  return (APP_IMAGE_FOLDER.test(execPath) && env.APPIMAGE) || execPath;
}

/** As it was started, but by the user, and with this link. */
export function startAgain(start: OwnStart, link: string | null): { execPath: string; args: string[] } {
  const args = start.argv.slice(1).filter((arg) => arg !== AT_LOGIN_SWITCH && readLink(arg) === null);
  return { execPath: ownProgram(start), args: link === null ? args : [...args, link] };
}
