/** "0x7a3f…9fc1": enough to distinguish two; the whole id goes to the hover text. */
export function shortId(id: string): string {
  return id.length <= 13 ? id : `${id.slice(0, 6)}…${id.slice(-4)}`;
}
