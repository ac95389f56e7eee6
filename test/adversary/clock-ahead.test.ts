/** Scenario 24: a provider whose clock was a day ahead for a moment (a bad NTP answer, set right at once). */
import { expect, it } from 'vitest';
import { MIB, useDevnet } from '../helpers/devnet.ts';
import { waitFor } from '../helpers/wait.ts';

it('a viewer goes on with a provider whose clock jumped ahead and came back, twice', {
  tags: 'long',
}, async () => {
  const net = await useDevnet();
  // One that cannot notice the jump: else it would end no channel by time.
  const clocks = { wallMs: () => Date.now(), uptimeMs: () => Date.now() };
  const provider = await net.peer('provider', undefined, undefined, undefined, { clocks });
  const { contentId } = await net.content(provider, 40 * MIB);
  const viewer = await net.peer('viewer');
  const transfer = await viewer.library.transfer(contentId);
  transfer.addReader(0);
  const real = Date.now;
  for (const jumps of [1, 2]) {
    await waitFor('a channel in use', () => provider.store.payeeChannels.all().length === jumps);
    await waitFor('some more pieces', () => transfer.paidUnits >= 4 * jumps);
    await waitFor('the provider took every channel for expired', async () => {
      Date.now = () => real() + 24 * 3_600_000;
      const claiming = provider.claims.now();
      Date.now = real;
      await claiming.catch(() => 0);
      const channels = provider.store.payeeChannels.all();
      return channels.length > jumps || channels.every(({ state }) => state.status === 'expired');
    });
    // Its clock is right again.
  }
  transfer.download();
  await waitFor('done', () => transfer.state === 'done').catch((error: unknown) => {
    const states = viewer.store.payerChannels.all().map(({ state }) => state.status);
    throw new Error(`${String(error)}: ${transfer.paidUnits} of 40 units, the viewer holds it for ${states}`);
  });
  expect(viewer.store.payerChannels.all().length).toBeGreaterThan(2);
});
