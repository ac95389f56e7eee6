/**
 * What the desktop shell starts the node with. The command line that opened the window hands its options over in one
 * environment variable; opened by itself, from a desktop icon, the shell uses the system's own places.
 */
import { isAbsolute, join } from 'node:path';
import type { App } from 'electron';
import { z } from 'zod';
import { AceError } from '../../shared/errors.ts';
import { variable } from '../util/environment.ts';
import { PASSPHRASE_VARIABLE } from '../wallet/passphrase-rule.ts';

export const CONFIG_VARIABLE = 'ACE_NODE_CONFIG';

const shellConfigSchema = z
  .object({
    // From another folder it would lead elsewhere, and so would a second start.
    dataDir: z.string().refine((path) => isAbsolute(path)),
    httpPort: z.number().int().min(0).max(65_535).optional(),
    httpHost: z.union([z.ipv4(), z.ipv6()]).optional(),
    allowHosts: z.array(z.string().min(1)).optional(),
    p2pPort: z.number().int().min(0).max(65_535).optional(),
    joinMultiaddr: z.string().min(1).optional(),
    listen: z.array(z.string().min(1)).optional(),
    announce: z.array(z.string().min(1)).optional(),
    resourcesDir: z.string().min(1),
    pagesDir: z.string().min(1),
  })
  .strict();

/** The part of the node's configuration that crosses a process border. */
export interface ShellConfig {
  readonly dataDir: string;
  readonly resourcesDir: string;
  readonly pagesDir: string;
  readonly httpPort?: number;
  readonly httpHost?: string;
  readonly allowHosts?: readonly string[];
  readonly p2pPort?: number;
  readonly joinMultiaddr?: string;
  readonly listen?: readonly string[];
  readonly announce?: readonly string[];
  readonly passphrase?: string;
}

export interface ShellPlaces {
  /** Of this user, when the command line did not choose another. */
  readonly dataDir: string;
  /** The folder that holds out/. */
  readonly appDir: string;
  /** The sample clip and icons: beside the archive in a package, in the sources otherwise. */
  readonly resourcesDir: string;
  /** In a package, pages and files are its own, whatever the command line says: they act with the app's rights. */
  readonly isPackaged: boolean;
}

/**
 * Electron looks at its program's name alone (lib/browser/api/app.ts): a copy or a link that is called "electron" would be no package
 * to it, and take pages from anywhere. In a package the code lies in an archive, and nowhere else (`onlyLoadAppFromAsar`).
 */
export function isPackage(app: Pick<App, 'isPackaged' | 'getAppPath'>): boolean {
  return app.isPackaged || app.getAppPath().endsWith('.asar');
}

/** @throws AceError `InvalidInput` when the variable is there but cannot be read */
export function shellConfig(
  env: Readonly<Record<string, string | undefined>>,
  places: ShellPlaces,
): ShellConfig {
  const text = variable(env, CONFIG_VARIABLE);
  const passphrase = variable(env, PASSPHRASE_VARIABLE);
  const secret = passphrase !== undefined && { passphrase };
  const own = { resourcesDir: places.resourcesDir, pagesDir: join(places.appDir, 'out', 'renderer') };
  if (text === undefined) return { dataDir: places.dataDir, ...own, ...secret };
  try {
    const { httpPort, httpHost, allowHosts, p2pPort, joinMultiaddr, listen, announce, ...required } =
      shellConfigSchema.parse(JSON.parse(text));
    return {
      ...required,
      ...(httpPort !== undefined && { httpPort }),
      ...(httpHost !== undefined && { httpHost }),
      ...(allowHosts !== undefined && { allowHosts }),
      ...(p2pPort !== undefined && { p2pPort }),
      ...(joinMultiaddr !== undefined && { joinMultiaddr }),
      ...(listen !== undefined && { listen }),
      ...(announce !== undefined && { announce }),
      ...(places.isPackaged && own),
      ...secret,
    };
  } catch (cause) {
    throw new AceError('InvalidInput', `${CONFIG_VARIABLE} cannot be read`, { cause });
  }
}

/** The other direction: what `shellConfig` reads. The passphrase has a variable of its own. */
export function shellEnvironment(config: ShellConfig): Record<string, string> {
  const { dataDir, resourcesDir, pagesDir, joinMultiaddr, listen, announce } = config;
  const { httpPort, httpHost, allowHosts, p2pPort } = config;
  const pages = { httpPort, httpHost, allowHosts, resourcesDir, pagesDir };
  return {
    [CONFIG_VARIABLE]: JSON.stringify({ dataDir, p2pPort, joinMultiaddr, listen, announce, ...pages }),
  };
}
