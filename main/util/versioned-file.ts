/** Files of ours that say what they are and of which version, before anything else in them is believed. */
import { z } from 'zod';
import { AceError } from '../../shared/errors.ts';

/** `newest`: the version that this program writes. */
export interface FileKind {
  readonly format: string;
  readonly newest: number;
}

/**
 * @param name what messages call the file
 * @param damaged what is thrown of text that is no such file
 * @throws AceError `WalletInvalid` of a newer version; `damaged`
 */
export function parseVersioned(
  text: string,
  { format, newest }: FileKind,
  name: string,
  damaged: (name: string) => AceError,
): unknown {
  const json = parseJson(text, name, damaged);
  const header = z.looseObject({ format: z.literal(format), version: z.int().positive() }).safeParse(json);
  if (!header.success) throw damaged(name);
  const { version } = header.data;
  if (version <= newest) return json;
  throw new AceError('WalletInvalid', `${name} was written by a newer Ace Node: update Ace Node to open it`, {
    details: { reason: 'newer-version', version },
  });
}

/** @throws `damaged` */
export function parseJson(text: string, name: string, damaged: (name: string) => AceError): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No cause: the parser's message quotes the text, which may hold a key.
    throw damaged(name);
  }
}
