/** Players look at port 6878 by themselves. Where another program has it, the node takes the next free one and says so. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { portNote } from '../../main/cli/headless.ts';
import { statusCommand } from '../../main/cli/status.ts';
import { DEFAULT_HTTP_PORT, type NodeConfig } from '../../main/data-dir/config.ts';
import { startNode } from '../../main/node/node.ts';
import { joinedNode, useDevnet } from '../helpers/devnet.ts';

/** Whoever had it before, the port is in use afterwards. */
async function takeUsualPort(): Promise<void> {
  const other = createServer();
  onTestFinished(() => void other.close());
  other.listen(DEFAULT_HTTP_PORT, '127.0.0.1');
  await Promise.race([once(other, 'listening'), once(other, 'error').catch(() => {})]).catch(() => {});
}

it('takes the next free port, and says so at the start and in the status', async () => {
  await takeUsualPort();
  const net = await useDevnet();
  const { httpPort: _, ...unchosen } = joinedNode(net);
  const config: NodeConfig = unchosen;
  const node = await startNode(config);
  net.owns(() => node.stop());
  expect(node.http.port).toBeGreaterThan(DEFAULT_HTTP_PORT);
  expect(node.http.port).toBeLessThanOrEqual(DEFAULT_HTTP_PORT + 20);
  expect(portNote(config, node.http)).toBe(
    `Port 6878 is in use by another program: give players ${node.http.url} instead`,
  );

  let printed = '';
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  onTestFinished(() => stdout.mockRestore());
  await statusCommand(config, { json: false });
  expect(printed).toContain(
    `Players      ${node.http.url}ace/getstream?content_id=… (not the usual port, 6878)\n`,
  );
});

it('says nothing where the port was chosen, or is the usual one', () => {
  expect(portNote({ httpPort: 7_000 }, { url: 'http://127.0.0.1:7000/', port: 7_000 })).toBeNull();
  expect(portNote({ httpPort: 0 }, { url: 'http://127.0.0.1:9999/', port: 9_999 })).toBeNull();
  expect(portNote({}, { url: 'http://127.0.0.1:6878/', port: DEFAULT_HTTP_PORT })).toBeNull();
});
