/**
 * Links that the system hands over: `acestream:` and `ace:`. They come as an argument (Windows, Linux; of this start or
 * of a second one) or as an event (macOS). Any web page can make the system do so, so a link is text to be shown and
 * nothing more.
 */
import type { App } from 'electron';
import { MAX_LINK_CHARS } from '../../shared/rpc/shell.ts';

export const LINK_SCHEMES = ['acestream', 'ace'] as const;

/** The first link among the arguments of a start. */
export function linkIn(argv: readonly string[]): string | null {
  return argv.map(readLink).find((link) => link !== null) ?? null;
}

/** `null` for what is no link of ours, or is longer or stranger than any of them. */
export function readLink(text: string): string | null {
  const isLink = /^(?:acestream|ace):[\x21-\x7e]+$/i.test(text) && text.length <= MAX_LINK_CHARS;
  return isLink ? text : null;
}

/** Links, and further starts by the user, from the first moment on: they wait until somebody listens. `null`: a start without a link. */
export class Openings {
  readonly #waiting: (string | null)[] = [];
  #listener: ((link: string | null) => void) | null = null;

  constructor(app: Pick<App, 'on'>) {
    app.on('second-instance', (_event, argv) => this.#came(linkIn(argv)));
    // macOS hands links over like this, also before the app is ready.
    app.on('open-url', (event, url) => {
      event.preventDefault();
      this.#came(readLink(url));
    });
  }

  listen(listener: (link: string | null) => void): void {
    this.#listener = listener;
    for (const link of this.#waiting.splice(0)) listener(link);
  }

  #came(link: string | null): void {
    if (this.#listener) this.#listener(link);
    else this.#waiting.push(link);
  }
}

/** How the system calls this app, or a file of that name which is gone: `productName` in electron-builder.yml. */
const OWN_NAME = /^Ace Node(?:\.exe|\.app)?$/i;

/**
 * Makes the system hand such links to this app, unless another program has them already: that one is the user's choice.
 * What is our own is written again, since it may lead to where the app was before. On Linux the package's desktop entry says so.
 */
export function claimLinks(
  app: Pick<App, 'isPackaged' | 'getApplicationNameForProtocol' | 'setAsDefaultProtocolClient'>,
  platform: NodeJS.Platform,
): void {
  if (!app.isPackaged || platform === 'linux') return;
  for (const scheme of LINK_SCHEMES) {
    const name = app.getApplicationNameForProtocol(`${scheme}:`);
    if (name === '' || OWN_NAME.test(name)) app.setAsDefaultProtocolClient(scheme);
  }
}
