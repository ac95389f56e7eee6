/** Killed in the middle of migrations, and of changes of settings: nothing is lost or half done, and the next start works. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { chainMigrations } from '../../main/db/chain/migrations/index.ts';
import { NODE_MIGRATIONS, openNodeStore } from '../../main/db/node/store.ts';
import { type Database, type DatabaseRole, type Migration, openDatabase } from '../../main/db/open.ts';
import { VALIDATOR_MIGRATIONS } from '../../main/db/validator/store.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { waitFor } from '../helpers/wait.ts';

const CHILD = fileURLToPath(new URL('./migration-kill-child.ts', import.meta.url));
const ROWS = 2_000;

function child(...args: string[]) {
  const process_ = spawn(process.execPath, [CHILD, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void process_.kill('SIGKILL'));
  return process_;
}

/** All that is in it: schema, version and rows. */
function contentOf(path: string, role: DatabaseRole, migrations: readonly Migration[]): unknown {
  const db = openDatabase({ path, role, migrations });
  const tables = db.prepare(`SELECT name, sql FROM sqlite_schema ORDER BY name`).all() as { name: string }[];
  const named = db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).pluck().all() as string[];
  const rows = named.map((name) => db.prepare(`SELECT * FROM "${name}" ORDER BY 1, 2`).all());
  const version = db.pragma('user_version');
  db.close();
  return { tables, version, rows };
}

function fill(db: Database): void {
  const content = db.prepare(
    `INSERT INTO contents (content_id, transport, name, mime_type, size_bytes, duration_ms, origin, added_at_ms)
     VALUES (?, randomblob(300), 'film', 'video/mp4', 1, 0, 'fetched', 1)`,
  );
  db.transaction(() => {
    for (let n = 0; n < ROWS; n++) content.run(String(n));
  })();
}

it.each([
  ['node', NODE_MIGRATIONS, [1, NODE_MIGRATIONS.length]],
  ['validator', VALIDATOR_MIGRATIONS, [VALIDATOR_MIGRATIONS.length]],
  // Its schemas begin with a later one than 1, which is its only one so far.
  ['chain', chainMigrations, chainMigrations.map(({ version }) => version)],
] as const)(
  'a %s killed in mid-migration has its old file, and migrates it at the next start',
  async (role, all, killedAt) => {
    for (const version of killedAt) {
      const path = join(tempDir(), 'file.db');
      const released = all.slice(0, 1);
      // Killed in the first one, there was no file before.
      const isNew = version === all[0]?.version;
      if (!isNew) {
        const db = openDatabase({ path, role, migrations: released });
        if (role === 'node') fill(db);
        db.close();
      }
      const before = isNew ? null : contentOf(path, role, released);
      const [, signal] = await once(child(role, path, String(version)), 'exit');
      expect(signal).toBe('SIGKILL');
      if (!isNew) expect(contentOf(path, role, released)).toEqual(before);
      const db = openDatabase({ path, role, migrations: all });
      expect(db.pragma('user_version', { simple: true })).toBe(all.at(-1)?.version);
      expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
      if (role === 'node') {
        expect(db.prepare('SELECT count(*) FROM contents').pluck().get()).toBe(isNew ? 0 : ROWS);
      }
      db.close();
    }
  },
);

it('settings that are set together, killed again and again, are all there or none, and none that was answered is lost', async () => {
  const path = join(tempDir(), 'node.db');
  let answered = 0;
  for (let kill = 1; kill <= 3; kill++) {
    const process_ = child('settings', path);
    let said = '';
    process_.stdout.on('data', (data: Buffer) => {
      said += data.toString();
    });
    const closed = once(process_, 'close');
    await waitFor('some changes', () => said.split('\n').length > kill * 7);
    process_.kill('SIGKILL');
    await closed;
    answered = Number(said.split('\n').at(-2));
    const store = openNodeStore(path);
    const { cacheBytes, dataPerMonthBytes } = store.userSettings.all();
    store.close();
    expect(cacheBytes).toBe(dataPerMonthBytes);
    expect([answered, answered + 1]).toContain(cacheBytes);
  }
});
