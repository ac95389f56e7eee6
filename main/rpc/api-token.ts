/**
 * The token that pages and scripts show to drive this node. It is kept in a file of its own that only the user can
 * read, so that a script keeps working over restarts; renewing it makes the old one worthless at once.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, statSync } from 'node:fs';
import { writeFileAtomic } from '../util/atomic-write.ts';

const TOKEN_BYTES = 24;
const TOKEN_TEXT = /^[A-Za-z0-9_-]{32}$/;
const OWNER_ONLY = 0o600;

export class ApiToken {
  readonly file: string;
  #current: string;

  private constructor(file: string, current: string) {
    this.file = file;
    this.#current = current;
  }

  /** Reads the token, or makes one where there is none that could be used. */
  static async open(file: string): Promise<ApiToken> {
    const stored = read(file);
    const token = new ApiToken(file, stored ?? '');
    if (stored === null) await token.renew();
    // A copy or a backup may have widened who can read it.
    else if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) chmodSync(file, OWNER_ONLY);
    return token;
  }

  get current(): string {
    return this.#current;
  }

  /** @returns the new token; the file has it already */
  async renew(): Promise<string> {
    const next = randomBytes(TOKEN_BYTES).toString('base64url');
    await writeFileAtomic(this.file, `${next}\n`, OWNER_ONLY);
    this.#current = next;
    return next;
  }
}

function read(file: string): string | null {
  if (!existsSync(file)) return null;
  const text = readFileSync(file, 'utf8').trim();
  return TOKEN_TEXT.test(text) ? text : null;
}
