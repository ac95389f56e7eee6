import type { Migration } from '../../open.ts';

/** How many pieces there are of each content: counted for each look at the library, they held up the node for seconds. */
export const pieceCounts: Migration = {
  version: 20,
  name: 'pieces of each content, counted',
  up: (db) =>
    db.exec(`
CREATE TABLE piece_counts (                  -- one row per content that ever had a piece; only the triggers write it
  content_id    TEXT PRIMARY KEY REFERENCES contents (content_id) ON DELETE CASCADE,
  pieces        INTEGER NOT NULL CHECK (pieces >= 0)
) STRICT, WITHOUT ROWID;
INSERT INTO piece_counts SELECT content_id, count(*) FROM pieces GROUP BY content_id;
CREATE TRIGGER piece_stored AFTER INSERT ON pieces BEGIN
  INSERT INTO piece_counts VALUES (new.content_id, 1) ON CONFLICT DO UPDATE SET pieces = pieces + 1;
END;
CREATE TRIGGER piece_removed AFTER DELETE ON pieces BEGIN
  UPDATE piece_counts SET pieces = pieces - 1 WHERE content_id = old.content_id;
END;
`),
};
