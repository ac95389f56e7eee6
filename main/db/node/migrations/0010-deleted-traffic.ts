import type { Migration } from '../../open.ts';

export const deletedTraffic: Migration = {
  version: 10,
  name: 'traffic of contents that were deleted',
  up(db) {
    db.exec(`
CREATE TABLE deleted_traffic (               -- one row: what contents that are gone have brought and sent
  id          INTEGER PRIMARY KEY CHECK (id = 1),
  down_bytes  INTEGER NOT NULL,
  up_bytes    INTEGER NOT NULL
) STRICT;
INSERT INTO deleted_traffic VALUES (1, 0, 0);
`);
  },
};
