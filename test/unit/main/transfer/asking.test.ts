import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { makeTransportFile } from '../../../../main/content/transport-file.ts';
import { askStreams } from '../../../../main/transfer/asking.ts';
import type { PooledProvider } from '../../../../main/transfer/stream-pool.ts';
import { createDevice } from '../../../../main/wallet/device.ts';
import { AceError } from '../../../../shared/errors.ts';

const OPENING = { pieceIndex: 0, watches: false };

it('a stream that ends while it is asked is no unhandled error, and another one’s answer counts', async () => {
  const { contentId, bytes } = makeTransportFile(
    {
      name: 'clip',
      kind: 'vod',
      mimeType: 'video/mp4',
      sizeBytes: 1,
      durationMs: 0,
      pieceHashes: [new Uint8Array(32)],
    },
    createDevice(),
  );
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', note);
  const [ended, other] = [{} as PooledProvider, {} as PooledProvider];
  let kept = 0;
  const heard = await askStreams(
    {
      pool: {
        ready: () => [ended, other],
        ask: (pooled, { learned }) => {
          if (pooled === other) {
            setTimeout(() => learned(bytes), 50);
            return null;
          }
          learned(null);
          return Promise.reject(new AceError('PeerClosed', 'The provider ended the stream'));
        },
      },
      budget: { mayRequest: async () => ({ done: () => undefined }) as never },
      keep: () => {
        kept += 1;
      },
    },
    contentId,
    OPENING,
  );
  await delay(10);
  process.off('unhandledRejection', note);
  expect(heard).toEqual({ pooled: other, first: null });
  expect([kept, unhandled]).toEqual([1, []]);
});
