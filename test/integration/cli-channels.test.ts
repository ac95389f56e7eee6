/** `ace-node channels` of the built program, on a provider and a viewer that have streamed. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ChannelsView } from '../../shared/rpc/channels.ts';
import { shownAddress } from '../../shared/typed/address.ts';
import { expectOneLine, run, startNode, startService } from '../helpers/cli.ts';
import { useCliRoot } from '../helpers/cli-root.ts';
import { MIB } from '../helpers/devnet.ts';
import { makeFile } from '../helpers/files.ts';

const root = useCliRoot();
/** With an escape sequence: names come from other nodes. */
const NAME = 'film\u001b[31m.bin';
const dirs = { provider: '', viewer: '', unused: '' };
let contentId: string;

beforeAll(async () => {
  for (const name of ['provider', 'viewer', 'unused'] as const) dirs[name] = join(root, name);
  // Nothing settles while the test runs.
  const quiet = ['--settlement-interval', '86400000'];
  const validator = await startService('validator', '--data-dir', join(root, 'validator'), ...quiet);
  for (const dir of [dirs.provider, dirs.viewer, dirs.unused]) {
    await startNode(dir, '--join', validator.ready);
  }
  const file = await makeFile(join(root, 'content.bin'), 2 * MIB + 1);
  contentId = (await run(['import', file, '--name', NAME, '--data-dir', dirs.provider])).stdout.trim();
  await run(['play', contentId, '--out', join(root, 'copy.bin'), '--data-dir', dirs.viewer]);
});

const accountOf = async (dataDir: string): Promise<string> =>
  JSON.parse((await run(['status', '--json', '--data-dir', dataDir])).stdout).account;
const lineWith = (text: string, word: string) => text.split('\n').find((line) => line.includes(word)) ?? '';

describe('ace-node channels', () => {
  it('tells a script both sides of the same channel', async () => {
    const [viewer, provider] = [await accountOf(dirs.viewer), await accountOf(dirs.provider)];
    for (const [dir, direction, counterparty] of [
      [dirs.viewer, 'paying', provider],
      [dirs.provider, 'earning', viewer],
    ] as const) {
      const { code, stdout, stderr } = await run(['channels', '--json', '--data-dir', dir]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const view = JSON.parse(stdout) as ChannelsView;
      expect(Object.keys(view)).toEqual(['channels', 'next', 'count', 'counterparties', 'contents']);
      const units = { servedBytes: 2 * MIB + 1, paidUnits: 3, settledUnits: 0, pendingUnits: 3 };
      expect(view).toMatchObject({
        channels: [{ direction, counterparty, servedUnits: 3, capacityUnits: expect.any(Number), ...units }],
        next: null,
        count: 1,
        counterparties: [{ direction, counterparty, channels: 1, ...units }],
        contents: [{ contentId, name: NAME }],
      });
    }
  });

  it('tells people what is pending, with the other account in full', async () => {
    const { code, stdout, stderr } = await run(['channels', '--data-dir', dirs.provider]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const viewer = shownAddress(await accountOf(dirs.viewer));
    const columns = (word: string) => lineWith(stdout, word).split(/ {2,}/);
    expect(columns('CHANNEL ').slice(4, 9)).toEqual(['SERVED', 'PAID', 'SETTLED', 'PENDING', 'OF']);
    expect(columns(`${viewer.slice(0, 8)}…`).slice(4, 8)).toEqual(['2', '3', '0', '3']);
    expect(columns(viewer).slice(0, 7)).toEqual([viewer, 'earn', '1', '2', '3', '0', '3']);
    expect(lineWith(stdout, 'film[31m.bin')).toContain(contentId);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toContain('is not settled yet');
  });

  it('shows no more than it is asked for, and says so', async () => {
    expectOneLine(await run(['channels', '--limit', '0', '--data-dir', dirs.viewer]), 'whole number from 1');
    const { stdout } = await run(['channels', '--limit', '1', '--data-dir', dirs.viewer]);
    expect(stdout).not.toContain('left out');
  });

  it('says in a sentence that there are none, and that there is no node', async () => {
    const none = await run(['channels', '--data-dir', dirs.unused]);
    expect(none).toMatchObject({ code: 0, stderr: '' });
    expect(none.stdout).toMatch(/^No payment channels yet\..*\n$/);
    expectOneLine(await run(['channels', '--data-dir', join(root, 'nowhere')]), /There is no node in .* yet/);
  });
});
