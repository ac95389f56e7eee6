/** A provider's data directory is restored from an old copy. Honest viewers must be served again. */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'vitest';
import { MIB, useDevnet } from '../helpers/devnet.ts';
import { waitFor } from '../helpers/wait.ts';

it('a viewer goes on with a provider that was restored from an old copy', async () => {
  const net = await useDevnet();
  let provider = await net.peer('provider');
  const { contentId } = await net.content(provider, 60 * MIB);
  await provider.stop();
  cpSync(join(net.dir, 'provider'), join(net.dir, 'copy'), { recursive: true });
  provider = await net.peer('provider');
  const viewer = await net.peer('viewer', undefined, { handshakeMs: 500, paymentMs: 1_000, dataMs: 1_000 });
  const transfer = await viewer.library.transfer(contentId);
  const reader = transfer.addReader(0);
  await waitFor('some pieces', () => transfer.paidUnits >= 12);
  await provider.stop();
  rmSync(join(net.dir, 'provider'), { recursive: true });
  cpSync(join(net.dir, 'copy'), join(net.dir, 'provider'), { recursive: true });
  provider = await net.peer('provider');
  transfer.moveReader(reader, 30);
  transfer.download();
  try {
    await waitFor('done', () => transfer.state === 'done');
  } finally {
  }
});
