/** One peer asks the shard for as much as its line carries. */
import * as dagCbor from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { describe, expect, it } from 'vitest';
import { openStream } from '../../main/p2p/host.ts';
import { SHARD_LIMITS, SHARD_PROTOCOL } from '../../main/p2p/protocols/shard/constants.ts';
import { sha256 } from '../../main/util/sha256.ts';
import { useDevnet } from '../helpers/devnet.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';

interface Answer {
  readonly result?: unknown;
  readonly error?: { readonly code: string; readonly details: { readonly retryAfterMs?: number } };
}

/** The longest list of contents that a shard takes: 600 kB. */
const CONTENT_IDS = Array.from({ length: 10_000 }, (_, i) =>
  CID.createV1(0x71, Digest.create(0x12, sha256(Uint8Array.of(i & 255, i >> 8)))).toString(),
);

describe('a flood of large requests', () => {
  it('is refused with the time to wait, while other peers are answered, and so is the peer after a rest', async () => {
    const net = await useDevnet();
    const [flooder, calm] = [await RawViewer.start(net), await RawViewer.start(net)];
    const address = net.validator.host.getMultiaddrs();
    const multiaddrs = [`/ip4/127.0.0.1/tcp/9/p2p/${flooder.host.peerId}`];
    const announce = (id: number) =>
      dagCbor.encode({
        id,
        method: 'announce',
        params: { certificate: flooder.certificate, contentIds: CONTENT_IDS, multiaddrs },
      });
    const flood = async (count: number): Promise<Answer[]> => {
      const line = await openStream(flooder.host, address, SHARD_PROTOCOL, SHARD_LIMITS);
      const answers: Answer[] = [];
      for (let id = 1; id <= count; id++) {
        line.send(announce(id));
        await line.writable();
        const frame = await line.read(20_000);
        if (frame) answers.push(dagCbor.decode(frame.subarray()) as Answer);
      }
      await line.close();
      return answers;
    };
    let flooding = true;
    const floodedAtMs = performance.now();
    const floods = Promise.all([flood(30), flood(30), flood(30)]).finally(() => {
      flooding = false;
    });
    const waits: number[] = [];
    while (flooding) {
      const startedAtMs = performance.now();
      await calm.shard.call('market', {});
      waits.push(performance.now() - startedAtMs);
    }
    const answers = (await floods).flat();
    const floodMs = performance.now() - floodedAtMs;
    expect(answers).toHaveLength(90);
    const refused = answers.flatMap(({ error }) => error ?? []);
    expect(refused.length).toBeGreaterThan(0);
    for (const error of refused) {
      expect(error.code).toBe('TooManyRequests');
      expect(error.details.retryAfterMs).toBeGreaterThan(0);
    }
    expect(answers.length - refused.length).toBeGreaterThan(20);
    expect(waits.length).toBeGreaterThan(10);
    // It waits for its turn, not for the flood.
    expect(Math.max(...waits)).toBeLessThan(floodMs / 2);
    // Told to slow down, a client of ours does: the call comes through.
    expect(await flooder.shard.call('market', {})).toHaveProperty('videoUnits');
  });
});
