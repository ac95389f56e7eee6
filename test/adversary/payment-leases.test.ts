/** A provider of one identity that lies about served bytes, so as to lock the viewer's credit, lease by lease. */

import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { makeTransportFile } from '../../main/content/transport-file.ts';
import { createDevice } from '../../main/wallet/device.ts';
import { MIB, useDevnet } from '../helpers/devnet.ts';
import { RawProvider } from '../helpers/raw-provider.ts';
import { staysFor, waitFor } from '../helpers/wait.ts';

const TIMEOUTS = { handshakeMs: 300, paymentMs: 1_000, dataMs: 1_000 };

it('a lying provider does not lock more than one lease of a viewer', async () => {
  const net = await useDevnet();
  // Nobody has a byte of it: its transport file is all that a liar needs.
  const { contentId, bytes: transport } = makeTransportFile(
    {
      ...{ name: 'film.bin', kind: 'vod', mimeType: 'video/mp4', sizeBytes: 600 * MIB, durationMs: 0 },
      pieceHashes: Array.from({ length: 600 }, () => randomBytes(32)),
    },
    createDevice(),
  );
  let opens = 0;
  const liar = await RawProvider.start(
    net,
    (message, stream) => {
      if (message.type !== 'open') return;
      opens += 1;
      // Odd: a new channel, taken up and dropped. Even: the same channel again, "served" beyond its capacity.
      if (opens % 2 === 1) {
        stream.send({ type: 'opened', paidUnits: 0, servedBytes: 0 });
        setTimeout(() => stream.vanish(), 20);
      } else stream.send({ type: 'opened', paidUnits: 0, servedBytes: 600 * MIB });
    },
    [transport],
  );
  await liar.announce(contentId);
  const viewer = await net.peer('viewer', undefined, TIMEOUTS);
  const leasable = async () =>
    (await viewer.shardClient.call('account', { address: viewer.account.address })).leasableUnits;
  const before = await leasable();
  const transfer = await viewer.library.transfer(contentId);
  transfer.download();
  const locked = async () => before - (await leasable());
  // It was met, and took a lease: both of its lies were told, and the viewer has drawn its conclusion.
  await waitFor('both lies are told', () => opens >= 2);
  expect(await locked()).toBeGreaterThan(0);
  await waitFor('it is left, and there is no other', () =>
    transfer.providers.every(({ state }) => state === 'gone'),
  );
  await staysFor('how often it was asked', 2_000, () => opens);
  expect(await locked()).toBeLessThanOrEqual(2 * 512);
});
