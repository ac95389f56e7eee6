/**
 * Killed while it writes: `ROLE FILE VERSION` opens a database and dies in mid-migration, `settings FILE` changes two
 * settings together, again and again, and says each change after it was made.
 */
import { writeSync } from 'node:fs';
import { chainMigrations } from '../../main/db/chain/migrations/index.ts';
import { NODE_MIGRATIONS, openNodeStore } from '../../main/db/node/store.ts';
import { type DatabaseRole, openDatabase } from '../../main/db/open.ts';
import { VALIDATOR_MIGRATIONS } from '../../main/db/validator/store.ts';
import { UserLimits } from '../../main/limits/user-limits.ts';
import { Meter } from '../../main/p2p/meter.ts';
import { createLog } from '../../main/process/log.ts';
import { NOTHING_SPENT } from '../helpers/spending.ts';

const MIGRATIONS = { node: NODE_MIGRATIONS, validator: VALIDATOR_MIGRATIONS, chain: chainMigrations };
const [role = '', path = '', version = ''] = process.argv.slice(2);

if (role === 'settings') {
  const limits = new UserLimits({
    store: openNodeStore(path),
    meter: new Meter(Date.now),
    spending: NOTHING_SPENT,
    nowMs: Date.now,
    log: createLog(null),
  });
  for (let n = (limits.limits.cacheBytes ?? 2 ** 30) + 1; ; n++) {
    limits.set({ cacheBytes: n, dataPerMonthBytes: n });
    writeSync(1, `${n}\n`);
  }
}

const migrations = MIGRATIONS[role as DatabaseRole].map((migration) => ({
  ...migration,
  up: (db: Parameters<typeof migration.up>[0]) => {
    // A cache of so few pages writes what is not committed to the file, too.
    db.pragma('cache_size = 2');
    migration.up(db);
    if (String(migration.version) === version) process.kill(process.pid, 'SIGKILL');
  },
}));
openDatabase({ path, role: role as DatabaseRole, migrations });
