/**
 * A final checkpoint that was never answered is said again to a provider that was restored and does not know the
 * channel.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { MIB, useDevnet } from '../helpers/devnet.ts';
import { offerThroughProxy } from '../helpers/slow-proxy.ts';
import { waitFor } from '../helpers/wait.ts';

it('an unanswered final checkpoint does not shut a viewer out of a restored provider', {
  tags: 'long',
}, async () => {
  const net = await useDevnet();
  const timeouts = { handshakeMs: 500, paymentMs: 1_000, dataMs: 1_000 };
  let provider = await net.peer('provider');
  const { contentId } = await net.content(provider, 60 * MIB);
  await provider.stop();
  cpSync(join(net.dir, 'provider'), join(net.dir, 'copy'), { recursive: true });
  provider = await net.peer('provider');
  const proxy = await offerThroughProxy(net, provider, [contentId]);
  const viewer = await net.peer('viewer', undefined, timeouts);
  const transfer = await viewer.library.transfer(contentId);
  transfer.addReader(0);
  await waitFor('some pieces', () => transfer.paidUnits >= 12);
  proxy.state.held = true; // the answer to the final checkpoint is lost
  await viewer.library.stopTransfer(contentId);
  proxy.cut();
  proxy.state.held = false;
  await provider.stop();
  rmSync(join(net.dir, 'provider'), { recursive: true });
  cpSync(join(net.dir, 'copy'), join(net.dir, 'provider'), { recursive: true });
  provider = await net.peer('provider');
  const again = await viewer.library.transfer(contentId);
  again.download();
  await waitFor('done', () => again.state === 'done').catch(() => undefined);
  expect(again.state).toBe('done');
});
