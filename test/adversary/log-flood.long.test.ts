/** Garbage of strangers in the log. Before, one peer made a validator's log grow by 3.3 MB a second and a node's by 0.94 MB: 280 and 81 GB a day. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { SHARD_PROTOCOL } from '../../main/p2p/protocols/shard/constants.ts';
import { TRANSPORT_PROTOCOL } from '../../main/p2p/protocols/transport/protocol.ts';
import { PIECES_PROTOCOL } from '../../main/pieces/constants.ts';
import { killStarted, run, startNode, startService } from '../helpers/cli.ts';
import { floodWithGarbage } from '../helpers/garbage.ts';
import { tempDir } from '../helpers/temp-dir.ts';

afterAll(killStarted);

const DAY_MS = 86_400_000;
const MAX_BYTES_A_DAY = 100_000_000;
const FLOOD = { peers: 12, streamsOfEach: 40 };

/** What the flood added to the file: with its rate kept up, and after a minute's sums are in it, at most so much a day. */
function expectBounded(log: string, beforeBytes: number, streams: number, elapsedMs: number): void {
  const grownBytes = statSync(log).size - beforeBytes;
  // A minute at least: the same flood goes on writing nothing until it has passed.
  const bytesADay = (grownBytes / Math.max(60_000, elapsedMs)) * DAY_MS;
  console.info(
    `${log.split('/').at(-1)}: ${streams} streams of garbage in ${Math.round(elapsedMs)} ms wrote ${grownBytes} bytes`,
  );
  expect(grownBytes).toBeGreaterThan(0);
  expect(bytesADay).toBeLessThan(MAX_BYTES_A_DAY);
}

// Each of these streams used to write about 1.1 KB: 480 of them 511,200 bytes at a validator, and as many as came, 280 GB
// a day. Now they write 5,650 bytes a minute, 8 MB a day.
it('strangers that send a validator and a provider garbage under many names write less than 100 MB a day to their logs', async () => {
  const dirs = { validator: tempDir(), node: tempDir() };
  const validator = await startService('validator', '--data-dir', dirs.validator, '--port', '0');
  await startNode(dirs.node, '--join', validator.ready);
  const status = JSON.parse((await run(['status', '--data-dir', dirs.node, '--json'])).stdout);
  const address = status.multiaddrs.find((one: string) => one.startsWith('/ip4/127.0.0.1/'));

  const targets = [
    [join(dirs.validator, 'validator.log'), validator.ready, [SHARD_PROTOCOL]],
    [join(dirs.node, 'node.log'), address, [PIECES_PROTOCOL, TRANSPORT_PROTOCOL, PIECES_PROTOCOL]],
  ] as const;
  for (const [log, target, protocols] of targets) {
    const [beforeBytes, beganAtMs] = [statSync(log).size, performance.now()];
    const streams = await floodWithGarbage(target, protocols, FLOOD);
    expectBounded(log, beforeBytes, streams, performance.now() - beganAtMs);
  }
});
