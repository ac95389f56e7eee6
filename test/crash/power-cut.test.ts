/**
 * A power cut: what was written and not synced is gone. A child acknowledges ticks, and says each only after its commit.
 * Its files are then cut back to their length at the moment that a tick was acknowledged, and further, in mid-page.
 */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { openNodeStore } from '../../main/db/node/store.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { waitFor } from '../helpers/wait.ts';

const CHILD = fileURLToPath(new URL('./power-cut-child.ts', import.meta.url));

/** Ticks that the child acknowledged, each with the length of the write-ahead log as it was then. */
async function acknowledged(dir: string): Promise<{ units: number; walBytes: number }[]> {
  const child = spawn(process.execPath, [CHILD, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (data: Buffer) => {
    said += data.toString();
  });
  const closed = new Promise((resolve) => child.once('close', resolve));
  onTestFinished(() => void child.kill('SIGKILL'));
  await waitFor('60 ticks acknowledged', () => said.split('\n').length > 60);
  child.kill('SIGKILL');
  await closed;
  const lines = said.split('\n').slice(0, -1);
  return lines.map((line) => {
    const [units = 0, walBytes = 0] = line.split(' ').map(Number);
    return { units, walBytes };
  });
}

it('loses no acknowledged tick, wherever the log is cut behind it', async () => {
  const dir = tempDir();
  const acks = await acknowledged(dir);
  expect(acks.length).toBeGreaterThan(30);
  for (const [i, { units, walBytes }] of acks.entries()) {
    if (i % 4 !== 0) continue;
    // Not a byte behind the commit, the next one torn in its first page, or garbage where it would be.
    for (const end of ['nothing', 'torn', 'garbage'] as const) {
      const copy = tempDir();
      for (const name of ['node.db', 'node.db-wal']) {
        if (existsSync(join(dir, name))) cpSync(join(dir, name), join(copy, name));
      }
      const wal = join(copy, 'node.db-wal');
      truncateSync(wal, Math.min(statSync(wal).size, walBytes + (end === 'torn' ? 1_000 : 0)));
      if (end === 'garbage')
        writeFileSync(wal, Buffer.concat([readFileSync(wal), Buffer.alloc(9_000, 0xa5)]));
      const store = openNodeStore(join(copy, 'node.db'));
      // Loss to the payee: no acknowledged unit. To the payer: nothing is counted that it did not pay.
      expect(store.payeeChannels.paidUnits()).toBe(units);
      store.close();
    }
  }
  // With one byte less than was synced the tick is not there: the cut is where it hurts.
  const last = acks.at(-1) ?? { units: 0, walBytes: 0 };
  const copy = tempDir();
  for (const name of ['node.db', 'node.db-wal']) cpSync(join(dir, name), join(copy, name));
  truncateSync(join(copy, 'node.db-wal'), last.walBytes - 1);
  const store = openNodeStore(join(copy, 'node.db'));
  expect(store.payeeChannels.paidUnits()).toBe(last.units - 1);
  store.close();
});

it.skipIf(!existsSync('/usr/bin/strace'))(
  'is synced before it is acknowledged',
  async () => {
    const dir = tempDir();
    const trace = join(dir, 'trace');
    const child = spawn(
      '/usr/bin/strace',
      ['-f', '-o', trace, '-e', 'trace=fsync,fdatasync,write', process.execPath, CHILD, dir, '20'],
      { stdio: ['ignore', 'ignore', 'ignore'] },
    );
    await new Promise((resolve) => child.once('close', resolve));
    const calls = readFileSync(trace, 'utf8').split('\n');
    let [acks, syncedSince] = [0, false];
    for (const call of calls) {
      if (/ (fsync|fdatasync)\(/.test(call)) syncedSince = true;
      if (!/ write\(1, /.test(call)) continue;
      acks += 1;
      expect(syncedSince).toBe(true);
      syncedSince = false;
    }
    expect(acks).toBe(20);
  },
  60_000,
);
