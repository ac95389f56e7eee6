import type { Migration } from '../../open.ts';

export const channelContents: Migration = {
  version: 12,
  name: 'which contents each channel carried',
  up(db) {
    db.exec(`
CREATE TABLE channel_contents (
  channel_id   BLOB NOT NULL,
  content_id   TEXT NOT NULL,                -- of a broadcast's segment, the broadcast
  bytes        INTEGER NOT NULL,             -- verified and received, or sent
  PRIMARY KEY (channel_id, content_id)
) STRICT, WITHOUT ROWID;
`);
  },
};
