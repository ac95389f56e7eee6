/** Names of contents where they leave this node: in headers, in playlists. They come from strangers. */
import { shownName } from '../../shared/shown-name.ts';

/** Never empty. */
export function plainName(name: string): string {
  return shownName(name) || 'content';
}

/** `Content-Disposition` of something to keep: RFC 6266, with any script by RFC 8187 and an ASCII name beside it. */
export function attachmentOf(name: string): string {
  const plain = plainName(name);
  const ascii = plain.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(plain).replace(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  const extended = plain === ascii ? '' : `; filename*=UTF-8''${encoded}`;
  return `attachment; filename="${ascii}"${extended}`;
}
