import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { NodeConfig } from '../../main/data-dir/config.ts';
import { DataDir } from '../../main/data-dir/data-dir.ts';
import { type RunningNode, startNode } from '../../main/node/node.ts';
import { runDevnetValidator } from '../../main/validator/devnet.ts';
import { DEFAULT_DEVNET } from '../../shared/devnet-profile.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { waitFor } from '../helpers/wait.ts';

const NOWHERE = '/ip4/127.0.0.1/tcp/1/p2p/12D3KooWNgpCqMU3GTELts3waxbKHst6DrXSLsQpLXajr2HGgbaQ';

const startValidator = (dir: string) =>
  runDevnetValidator({ dataDir: dir, port: 0, profile: DEFAULT_DEVNET });

/** A node on loopback that is stopped at the end, if the test has not stopped it. */
async function node(dataDir: string, more: Partial<NodeConfig> = {}): Promise<RunningNode> {
  const running = await startNode({
    dataDir,
    httpPort: 0,
    resourcesDir: dataDir,
    pagesDir: dataDir,
    ...more,
  });
  onTestFinished(() => running.stop());
  return running;
}

describe('a node whose validator is away', () => {
  it('starts from what it knows, plays what it has, and takes the line up again by itself', async () => {
    const [validatorDir, dataDir] = [tempDir(), tempDir()];
    const first = await startValidator(validatorDir);
    const before = await node(dataDir, { joinMultiaddr: first.multiaddr });
    const file = join(dataDir, 'film.bin');
    writeFileSync(file, Buffer.alloc(3_000_000, 7));
    const { contentId } = await before.service.importFile({ path: file, copy: true });
    await before.service.topUp({ amountXat: '0.5' });
    await before.stop();
    await first.stop();

    const away = await node(dataDir);
    const snapshot = await away.service.snapshot({});
    expect(snapshot.shard.connected).toBe(false);
    expect(snapshot.holdings.services.XAT).toBe('0.5000000');
    const { playbackUrl } = await away.service.play({ contentId, download: false });
    expect((await (await fetch(playbackUrl)).arrayBuffer()).byteLength).toBe(3_000_000);
    await expectAceRejection('ShardUnavailable', away.service.topUp({ amountXat: '1' }));

    const second = await startValidator(validatorDir);
    onTestFinished(() => second.stop());
    expect(second.multiaddr).toBe(first.multiaddr);
    await waitFor('the line is up again', async () => (await away.service.snapshot({})).shard.connected);
    expect((await away.service.topUp({ amountXat: '1' })).holdings.services.XAT).toBe('1.5000000');
  });

  it('starts when it is told to join the network again that it has joined', async () => {
    const [validatorDir, dataDir] = [tempDir(), tempDir()];
    const validator = await startValidator(validatorDir);
    const { multiaddr: joinMultiaddr } = validator;
    await (await node(dataDir, { joinMultiaddr })).stop();
    await validator.stop();

    const away = await node(dataDir, { joinMultiaddr });
    expect((await away.service.snapshot({})).shard.connected).toBe(false);
    const again = await startValidator(validatorDir);
    onTestFinished(() => again.stop());
    await waitFor('the line is up again', async () => (await away.service.snapshot({})).shard.connected);
  });

  it('keeps the address that works when it is given one that does not', async () => {
    const [validatorDir, dataDir] = [tempDir(), tempDir()];
    const validator = await startValidator(validatorDir);
    onTestFinished(() => validator.stop());
    const joined = await node(dataDir, { joinMultiaddr: validator.multiaddr });
    await joined.stop();
    const path = new DataDir(dataDir).network;
    const stored = readFileSync(path, 'utf8');
    await expectAceRejection('ShardUnavailable', node(dataDir, { joinMultiaddr: NOWHERE }));
    expect(readFileSync(path, 'utf8')).toBe(stored);
    expect((await (await node(dataDir)).service.snapshot({})).shard.connected).toBe(true);
  });
});
