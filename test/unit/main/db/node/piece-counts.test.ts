/** How much there is of a content is kept with its pieces, and is what counting them would say. */
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, it, onTestFinished } from 'vitest';
import { openNodeStore } from '../../../../../main/db/node/store.ts';
import { tempDir } from '../../../../helpers/temp-dir.ts';

function useStore() {
  const path = join(tempDir(), 'node.db');
  const store = openNodeStore(path);
  onTestFinished(() => store.close());
  const add = (contentId: string) =>
    store.contents.insert({
      ...{ contentId, transport: new Uint8Array(100), name: contentId, mimeType: 'video/mp4' },
      ...{ sizeBytes: 10 * 1_048_576, durationMs: 0, origin: 'fetched', addedAtMs: 1 },
    });
  /** By the library, by one content, and by counting. */
  const counts = () => {
    const db = new Sqlite(path, { readonly: true });
    const counted = db
      .prepare<[], { contentId: string; pieces: number }>(
        `SELECT content_id AS contentId, (SELECT count(*) FROM pieces p WHERE p.content_id = c.content_id) AS pieces
         FROM contents c ORDER BY content_id`,
      )
      .all();
    db.close();
    for (const { contentId, pieces } of counted)
      expect(store.contents.get(contentId)?.havePieces).toBe(pieces);
    const listed = store.contents
      .list()
      .map(({ contentId, havePieces }) => ({ contentId, pieces: havePieces }));
    expect(listed).toEqual(counted);
    return counted.map(({ pieces }) => pieces);
  };
  return { store, add, counts };
}

it('follows every piece that comes or goes, once', () => {
  const { store, add, counts } = useStore();
  for (const contentId of ['a', 'b']) add(contentId);
  expect(counts()).toEqual([0, 0]);
  for (const index of [0, 1, 2, 2]) store.contents.pieces.add('a', index, true);
  store.contents.pieces.add('b', 9, false);
  expect(counts()).toEqual([3, 1]);
  store.contents.pieces.remove('a', 1);
  store.contents.pieces.remove('a', 1);
  expect(counts()).toEqual([2, 1]);
});
