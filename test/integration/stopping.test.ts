/**
 * Stopping means stopping: whoever takes bytes and is gone, however that ended, buys nothing more, unless somebody else
 * wants the content. What is paid is looked at while another transfer goes on: time alone would prove nothing.
 */
import { once } from 'node:events';
import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningNode, startNode } from '../../main/node/node.ts';
import { killStarted, spawnCli } from '../helpers/cli.ts';
import { Devnet, joinedNode, MIB, type TestPeer } from '../helpers/devnet.ts';
import { standsStill, waitFor } from '../helpers/wait.ts';

/** More than is fetched before the commands are ended, and more than a player has fetched ahead of it. */
const SIZE_UNITS = 20;
const CONTROL_UNITS = 6;
const BYTES_PER_SECOND = 3 * MIB;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const;

let net: Devnet;
let provider: TestPeer;
let node: RunningNode;

beforeAll(async () => {
  net = await Devnet.start();
  provider = await net.peer('provider');
  node = await startNode(joinedNode(net));
  await node.service.setSettings({ downloadBytesPerSecond: BYTES_PER_SECOND });
});

afterAll(async () => {
  await killStarted();
  await node?.stop();
  await net?.stop();
});

async function provided(name: string, units: number): Promise<string> {
  return (await net.content(provider, units * MIB, name)).contentId;
}

async function unitsPaid(contentId: string): Promise<number> {
  const { transfers } = await node.service.snapshot({});
  return transfers.find((transfer) => transfer.contentId === contentId)?.paidUnits ?? 0;
}

/** A command that saves a content, in a process of its own. */
function saving(contentId: string) {
  const out = join(net.dir, `${contentId}.out`);
  return spawnCli(['play', contentId, '--out', out, '--data-dir', join(net.dir, 'node')]);
}

async function request(path: string): Promise<{ asked: ClientRequest; response: IncomingMessage }> {
  const asked = get(new URL(path, node.http.url));
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return { asked, response };
}

async function taken(path: string): Promise<number> {
  const { response } = await request(path);
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) bytes += part.byteLength;
  return bytes;
}

/** Pieces that are on their way when somebody leaves may still come and be paid; after them nothing does. */
async function expectNothingBought(contentIds: readonly string[]): Promise<void> {
  const paid = () => Promise.all(contentIds.map(unitsPaid));
  const before = await standsStill('what is paid', paid);
  const control = await provided(`control-${contentIds.length}`, CONTROL_UNITS);
  expect(await taken(`/content/${control}?download=1`)).toBe(CONTROL_UNITS * MIB);
  expect(await unitsPaid(control)).toBe(CONTROL_UNITS);
  expect(await paid()).toEqual(before);
  for (const units of before) expect(units).toBeLessThan(SIZE_UNITS);
}

describe('what is bought stops', () => {
  it('with a command that is interrupted, ended, hung up or killed', { tags: 'long' }, async () => {
    const contentIds = await Promise.all(SIGNALS.map((signal) => provided(signal, SIZE_UNITS)));
    const commands = contentIds.map((contentId) => saving(contentId));
    await waitFor('all of them buy', async () =>
      (await Promise.all(contentIds.map(unitsPaid))).every((units) => units > 0),
    );
    const ended = commands.map((command) => once(command, 'exit'));
    commands.forEach((command, i) => void command.kill(SIGNALS[i]));
    await Promise.all(ended);
    await expectNothingBought(contentIds);
  });

  it('with a player, or the tab that plays, that goes away', { tags: 'long' }, async () => {
    const contentId = await provided('player', SIZE_UNITS);
    const { asked, response } = await request(`/content/${contentId}`);
    response.resume();
    await waitFor('it plays', async () => (await unitsPaid(contentId)) > 0);
    asked.destroy();
    await expectNothingBought([contentId]);
  });

  it('not while somebody else takes the same content', async () => {
    const contentId = await provided('shared', CONTROL_UNITS);
    const other = taken(`/content/${contentId}?download=1`);
    const command = saving(contentId);
    await waitFor('both take it', async () => (await unitsPaid(contentId)) > 0);
    command.kill('SIGKILL');
    expect(await other).toBe(CONTROL_UNITS * MIB);
    expect(await unitsPaid(contentId)).toBe(CONTROL_UNITS);
  });
});
