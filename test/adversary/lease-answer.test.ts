/** A shard's refusal of a lease carries figures that nobody checks: half a unit must not stop the node for ever. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it('a shard that can lease 1.5 units does not hang the node', () => {
  const child = join(import.meta.dirname, '..', 'helpers', 'fraction-child.ts');
  const { stdout, signal } = spawnSync(process.execPath, [child], { timeout: 15_000, encoding: 'utf8' });
  expect({ stdout, signal }).toEqual({ stdout: 'alive', signal: null });
});
