import { statSync } from 'node:fs';
import { join } from 'node:path';
import * as dagCbor from '@ipld/dag-cbor';
import { multiaddr } from '@multiformats/multiaddr';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { createHost } from '../../main/p2p/host.ts';
import { SHARD_PROTOCOL } from '../../main/p2p/protocols/shard/constants.ts';
import { TRANSPORT_PROTOCOL } from '../../main/p2p/protocols/transport/protocol.ts';
import { PIECES_PROTOCOL } from '../../main/pieces/constants.ts';
import { createDevice } from '../../main/wallet/device.ts';
import { killStarted, run, startNode, startService } from '../helpers/cli.ts';
import { tempDir } from '../helpers/temp-dir.ts';

afterAll(killStarted);

const DAY_MS = 86_400_000;
const MAX_BYTES_A_DAY = 100_000_000;
const PEERS = 12;
const STREAMS_OF_EACH = 40;

const framed = (body: Uint8Array) => Buffer.concat([Uint8Array.of(body.byteLength), body]);
/** Longer than a peer may send, no CBOR, a request with the wrong fields. */
const GARBAGE = [
  new Uint8Array(64).fill(0x80),
  framed(Uint8Array.of(0, 255, 255)),
  framed(dagCbor.encode({ id: 1, method: 'account', params: { address: 7 } })),
];

/** Garbage on fresh streams, one after another, from each of many fresh identities; how many streams there were. */
async function flood(address: string, protocols: readonly string[]): Promise<number> {
  let streams = 0;
  const stranger = async () => {
    const host = await createHost({ deviceSeed: createDevice().seed(), listen: [] });
    onTestFinished(() => host.stop());
    for (let i = 0; i < STREAMS_OF_EACH; i++) {
      const connection = await host.dial(multiaddr(address));
      const protocol = protocols[i % protocols.length] ?? SHARD_PROTOCOL;
      const stream = await connection.newStream(protocol);
      stream.send(GARBAGE[i % GARBAGE.length] ?? new Uint8Array());
      const closed = new Promise<void>((resolve) => {
        if (stream.status !== 'open') resolve();
        stream.addEventListener('close', () => resolve(), { once: true });
      });
      // It may have been reset by now.
      await stream.close().catch(() => undefined);
      await closed;
      streams += 1;
    }
  };
  await Promise.all(Array.from({ length: PEERS }, stranger));
  return streams;
}

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

// Before there were sums, one of these streams wrote about 1.3 KB: 3.3 MB a second at a validator, 280 GB a day.
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
    const streams = await flood(target, protocols);
    expectBounded(log, beforeBytes, streams, performance.now() - beganAtMs);
  }
});
