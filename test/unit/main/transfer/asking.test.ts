import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { makeTransportFile } from '../../../../main/content/transport-file.ts';
import { askSessions } from '../../../../main/transfer/asking.ts';
import type { Line } from '../../../../main/transfer/session-pool.ts';
import { createDevice } from '../../../../main/wallet/device.ts';
import { AceError } from '../../../../shared/errors.ts';

const OPENING = { pieceIndex: 0, watches: false };

it('a session that ends while it is asked is no unhandled error, and another one’s answer counts', async () => {
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
  const [ended, other] = [{} as Line, {} as Line];
  let kept = 0;
  const heard = await askSessions(
    {
      pool: {
        ready: () => [ended, other],
        ask: (line, { learned }) => {
          if (line === other) {
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
  expect(heard).toEqual({ line: other, first: null });
  expect([kept, unhandled]).toEqual([1, []]);
});
