import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DataDir } from '../../main/data-dir/data-dir.ts';
import { lockDataDir } from '../../main/db/lock.ts';
import { openNodeStore } from '../../main/db/node/store.ts';
import { openValidatorStore } from '../../main/db/validator/store.ts';
import { startPeer } from '../../main/peer/peer.ts';
import { createLog } from '../../main/process/log.ts';
import { runDevnetValidator } from '../../main/validator/devnet.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { TEST_PROFILE, useDevnet } from '../helpers/devnet.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const USER_VERSION_AT = 60;

/** A peer's directory after a first, orderly life. */
async function usedDir() {
  const net = await useDevnet();
  const peer = await net.peer('used');
  await peer.stop();
  const start = () =>
    startPeer({
      dataDir: new DataDir(peer.dir),
      shardMultiaddr: net.validator.multiaddr,
      p2pPort: 0,
      log: createLog(null),
    });
  return { dir: peer.dir, db: join(peer.dir, 'node.db'), start, net };
}

describe('a data directory that cannot be used', () => {
  it.each<[string, ErrorCode, (db: string) => void]>([
    ['of a newer version', 'SchemaTooNew', (db) => patch(db, USER_VERSION_AT, 99)],
    [
      'with the database of another role',
      'DataDirMismatch',
      (db) => {
        const other = join(tempDir(), 'validator.db');
        openValidatorStore(other).close();
        cpSync(other, db);
      },
    ],
    ['whose database is noise', 'StoreFailed', (db) => writeFileSync(db, 'x'.repeat(20_000))],
    ['whose database has a corrupt first page', 'StoreFailed', (db) => patch(db, 100, 0xff, 400)],
  ])('%s is refused by name, and the file stays as it is', async (_what, code, damage) => {
    const { db, start } = await usedDir();
    damage(db);
    const before = readFileSync(db);
    await expectAceRejection(code, start());
    expect(readFileSync(db)).toEqual(before);
  });

  it('of another network is refused by name', async () => {
    const { dir } = await usedDir();
    const other = await useDevnet();
    const started = startPeer({
      dataDir: new DataDir(dir),
      shardMultiaddr: other.validator.multiaddr,
      p2pPort: 0,
      log: createLog(null),
    });
    expect((await expectAceRejection('DataDirMismatch', started)).message).toContain('network');
  });

  it('that another node uses is refused by name', async () => {
    const dir = join(tempDir(), 'validator');
    const lock = lockDataDir(dir);
    onTestFinished(() => lock.release());
    await expectAceRejection(
      'DataDirInUse',
      runDevnetValidator({ dataDir: dir, port: 0, profile: TEST_PROFILE }),
    );
  });

  it('gets no profile that its devnet could not be started with', async () => {
    const dir = join(tempDir(), 'validator');
    for (const bad of [{ trafficRateGbPerHour: 'abc' }, { trafficRateGbPerHour: '0' }, { xacPerXat: '-1' }]) {
      const profile = { ...TEST_PROFILE, ...bad };
      await expectAceRejection('InvalidInput', runDevnetValidator({ dataDir: dir, port: 0, profile }));
    }
    await (await runDevnetValidator({ dataDir: dir, port: 0, profile: TEST_PROFILE })).stop();
  });

  it('is free again after a failed start', async () => {
    const dir = join(tempDir(), 'validator');
    mkdirSync(dir);
    writeFileSync(join(dir, 'profile.json'), '{ "half": ');
    await expectAceRejection(
      'DataDirMismatch',
      runDevnetValidator({ dataDir: dir, port: 0, profile: TEST_PROFILE }),
    );
    lockDataDir(dir).release();
  });

  // Root may write everywhere.
  it.skipIf(process.getuid?.() === 0)('that is not writable is refused by name', async () => {
    const { dir, start } = await usedDir();
    chmodSync(dir, 0o500);
    onTestFinished(() => chmodSync(dir, 0o700));
    await expectAceRejection('DataDirNotWritable', start());
  });

  it('opens again when nothing is wrong', async () => {
    const { db, start } = await usedDir();
    await (await start()).stop();
    openNodeStore(db).close();
  });
});

function patch(path: string, at: number, value: number, length = 4): void {
  const bytes = readFileSync(path);
  if (length === 4) bytes.writeUInt32BE(value, at);
  else bytes.fill(value, at, at + length);
  writeFileSync(path, bytes);
}
