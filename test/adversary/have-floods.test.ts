import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { makeTransportFile } from '../../main/content/transport-file.ts';
import { createDevice } from '../../main/wallet/device.ts';
import { MIB, useDevnet } from '../helpers/devnet.ts';
import { threadMs } from '../helpers/event-loop.ts';
import { RawProvider } from '../helpers/raw-provider.ts';
import { waitFor } from '../helpers/wait.ts';

/** Pieces of the largest content that there may be. */
const PIECES = 65_536;
const MESSAGES = 200;

it('a provider that says without end what it has, and sends nothing, does not keep the node busy', async () => {
  const net = await useDevnet();
  const { contentId, bytes } = makeTransportFile(
    {
      name: 'film.ts',
      kind: 'vod',
      mimeType: 'video/mp2t',
      sizeBytes: PIECES * MIB,
      durationMs: 0,
      pieceHashes: Array.from({ length: PIECES }, () => randomBytes(32)),
    },
    createDevice(),
  );
  const maps = Array.from({ length: 8 }, () => randomBytes(PIECES / 8));
  let flood: NodeJS.Timeout | undefined;
  let said = 0;
  let isCutOff = false;
  const provider = await RawProvider.start(
    net,
    (message, stream) => {
      if (message.type === 'request') {
        stream.send({ type: 'refused', id: message.id, code: 'PieceUnknown' });
        return;
      }
      if (message.type !== 'interest') return;
      flood = setInterval(() => {
        try {
          stream.send({ type: 'have', contentId, bitmap: maps[said++ % maps.length] ?? bytes });
        } catch {
          isCutOff = true;
          clearInterval(flood);
        }
      }, 10);
    },
    [bytes],
  );
  net.owns(async () => clearInterval(flood));
  await provider.announce(contentId);
  const viewer = await net.peer('viewer');
  (await viewer.library.transfer(contentId)).download();
  await waitFor('it says what it has', () => said > 3);
  const [saidBefore, beforeMs, fromMs] = [said, threadMs(), performance.now()];
  await waitFor('it says so for a while, or is cut off', () => said - saidBefore >= MESSAGES || isCutOff);
  // What is told is made by this thread, too.
  expect((threadMs() - beforeMs) / (performance.now() - fromMs)).toBeLessThan(0.5);
});
