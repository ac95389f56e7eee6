/**
 * What a start checks of the files that the last run left. A file that is as it was left needs nothing. One that was
 * being written has every flushed piece in its books: only the others are hashed. One that somebody else changed is
 * hashed whole.
 */
import { sameBytes } from '../../shared/bytes.ts';
import { pieceLength } from '../../shared/economy/units.ts';
import type { StoredContent } from '../db/node/contents.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { PiecePlaces } from './piece-places.ts';
import { chunkHashesOf, pieceHash, readTransportFile } from './transport-file.ts';

export interface Recovered {
  /** Pieces that were read and hashed. */
  readonly checked: number;
  /** Of them, or of files that are gone: fetched again when they are wanted. */
  readonly lost: number;
}

export async function recoverPieces(store: NodeStore, places: PiecePlaces): Promise<Recovered> {
  const unsynced = Map.groupBy(store.contents.pieces.unsynced(), ({ contentId }) => contentId);
  let [checked, lost] = [0, 0];
  for (const content of store.contents.stored()) {
    const { contentId, fileStamp } = content;
    const found = await places.stamp(contentId);
    if (fileStamp !== null && found === fileStamp) continue;
    const isTouched = found === null || fileStamp !== null;
    const suspects = isTouched
      ? store.contents.pieces.of(contentId)
      : (unsynced.get(contentId) ?? []).map(({ pieceIndex }) => pieceIndex);
    const { good, bad } = await sorted(store, places, content, suspects);
    checked += suspects.length;
    lost += bad.length;
    if (good.length > 0) await places.flush(contentId, good);
    store.commit(() => {
      for (const index of good) store.contents.pieces.markSynced(contentId, index);
      for (const index of bad) store.contents.pieces.remove(contentId, index);
      store.contents.setStamp(contentId, null);
    });
  }
  return { checked, lost };
}

async function sorted(
  store: NodeStore,
  places: PiecePlaces,
  { contentId, sizeBytes }: StoredContent,
  suspects: readonly number[],
): Promise<{ good: number[]; bad: number[] }> {
  const [good, bad]: [number[], number[]] = [[], []];
  const row = suspects.length > 0 ? store.contents.get(contentId) : null;
  const file = row && readTransportFile(contentId, row.transport);
  for (const index of suspects) {
    const bytes = await places.read(contentId, index, Buffer.allocUnsafeSlow(pieceLength(sizeBytes, index)));
    const expected = file?.pieceHashes[index];
    const right = bytes && expected && sameBytes(pieceHash(chunkHashesOf(bytes)), expected);
    (right ? good : bad).push(index);
  }
  return { good, bad };
}
