/** Which bytes a request asks for: the `Range` and `If-Range` headers of RFC 9110, section 14. */
import parseRange from 'range-parser';

/** Both ends are part of it. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Parts that one request may ask for; more is nothing that a player does, and is answered with the whole content. */
export const MAX_RANGES = 8;

/**
 * The ranges in the order they were asked for; those that touch or overlap are one. `null`: the whole content, because
 * nothing else was asked for, or the header is not one to follow.
 */
export function requestedRanges(
  header: string | undefined,
  sizeBytes: number,
): readonly ByteRange[] | 'unsatisfiable' | null {
  if (header === undefined || !header.startsWith('bytes=')) return null;
  const specs = header.slice('bytes='.length).split(',');
  if (specs.length > MAX_RANGES) return null;
  // range-parser refuses a suffix that is longer than the whole, which RFC 9110 gives the whole.
  const bounded = specs.map((spec) => {
    const suffix = /^-(\d+)$/.exec(spec.trim());
    return suffix && Number(suffix[1]) > sizeBytes ? '0-' : spec;
  });
  const ranges = parseRange(sizeBytes, `bytes=${bounded.join(',')}`, { combine: true });
  if (ranges === -2) return null;
  return ranges === -1 ? 'unsatisfiable' : [...ranges];
}

/**
 * Whether what `If-Range` names is what would be sent. A date must be exactly the one that was sent as
 * `Last-Modified`; a weak entity tag never matches.
 */
export function isSameContent(
  ifRange: string | undefined,
  current: { readonly etag: string; readonly lastModified: string },
): boolean {
  if (ifRange === undefined) return true;
  const named = ifRange.trim();
  return named === current.etag || named === current.lastModified;
}
