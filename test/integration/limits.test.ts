import { describe, expect, it } from 'vitest';
import { dayOf, endOfDay } from '../../main/util/local-day.ts';
import { fetchWhole, MIB, paidUnits, revealedUnits, settleUp, useDevnet } from '../helpers/devnet.ts';
import { itInTiers } from '../helpers/tiers.ts';
import { staysFor, waitFor } from '../helpers/wait.ts';

/** How exactly, over 20 s, is measured by test/bench/measured/rate-cap.test.ts. */
const MEASURED_BYTES = 4 * MIB;

async function provided(units: number) {
  const net = await useDevnet();
  const [provider, viewer] = [await net.peer(), await net.peer()];
  const { contentId } = await net.content(provider, units * MIB);
  const download = async () => {
    const transfer = await viewer.library.transfer(contentId);
    transfer.download();
    return transfer;
  };
  return { net, provider, viewer, contentId, download };
}

describe('a cap of 1 MiB/s', () => {
  itInTiers<['upload' | 'download']>({ quick: [['download']], long: [['upload']] })(
    'on the %s is never passed, and every unit is paid',
    async (direction) => {
      const { provider, viewer, contentId, download } = await provided(20);
      if (direction === 'upload') await provider.setLimits({ uploadBytesPerSecond: MIB });
      else await viewer.setLimits({ downloadBytesPerSecond: MIB });
      const transfer = await download();
      const bytes = () =>
        direction === 'upload' ? provider.meter.totals().upBytes : viewer.meter.totals().downBytes;
      await waitFor('the stream runs', () => bytes() >= MIB);
      const [startMs, before] = [performance.now(), bytes()];
      await waitFor('some more', () => bytes() - before >= MEASURED_BYTES);
      // A piece of a download is there as a whole: what began before this time is one of them at most.
      const allowedBytes = 1.02 * MIB * ((performance.now() - startMs) / 1_000) + MIB;
      expect(bytes() - before).toBeLessThanOrEqual(allowedBytes);

      // Taken away, it is gone at once, on the running stream.
      await (direction === 'upload' ? provider : viewer).setLimits({
        uploadBytesPerSecond: null,
        downloadBytesPerSecond: null,
      });
      await waitFor('the rest', () => transfer.state === 'done');
      await settleUp(viewer, provider, contentId);
      expect([revealedUnits(viewer), paidUnits(provider)]).toEqual([20, 20]);
    },
  );
});

describe('a stop', () => {
  it('of the upload ends a running stream after the piece under way, and goes on with every unit paid once', async () => {
    const { provider, viewer, contentId, download } = await provided(30);
    await provider.setLimits({ uploadBytesPerSecond: 4 * MIB });
    const transfer = await download();
    await waitFor('some are here', () => transfer.haveBytes >= 3 * MIB);
    await provider.setLimits({ uploadBytesPerSecond: 0 });
    const atStop = provider.meter.totals().upBytes;
    await waitFor('all that was sent is paid', () => {
      const sent = provider.meter.totals().upBytes;
      return sent === paidUnits(provider) * MIB && sent === revealedUnits(viewer) * MIB;
    });
    const rested = provider.meter.totals().upBytes;
    expect(rested - atStop).toBeLessThanOrEqual(MIB);
    // All that was sent is paid: nobody's window is kept, and nothing more is booked.
    expect(paidUnits(provider)).toBe(revealedUnits(viewer));
    expect(rested).toBe(paidUnits(provider) * MIB);
    await staysFor('what was sent', 1_000, () => provider.meter.totals().upBytes);
    // The viewer is told why, and that nobody knows for how long.
    await waitFor('the reason', () => transfer.reason?.code === 'ProviderStopped');
    expect(transfer).toMatchObject({ state: 'connecting', reason: { details: {} } });
    expect(provider.meter.totals().upBytes).toBe(rested);
    expect(provider.limits.stops().map(({ message }) => message)).toEqual([
      'Uploading is stopped by your settings',
    ]);
    await provider.setLimits({ uploadBytesPerSecond: null });
    await waitFor('the rest', () => transfer.state === 'done');
    await settleUp(viewer, provider, contentId);
    expect([revealedUnits(viewer), paidUnits(provider)]).toEqual([30, 30]);
  });

  it('of the download pauses it with the reason, closes its channel, and goes on by itself', {
    tags: 'long',
  }, async () => {
    const { provider, viewer, contentId, download } = await provided(30);
    await viewer.setLimits({ downloadBytesPerSecond: 4 * MIB });
    const transfer = await download();
    await waitFor('some are here', () => transfer.haveBytes >= 3 * MIB);
    await viewer.setLimits({ downloadBytesPerSecond: 0 });
    await waitFor('it is paused', () => transfer.state === 'paused');
    expect(transfer.reason).toMatchObject({
      code: 'TrafficStopped',
      message: 'Downloading is stopped by your settings',
    });
    await waitFor('the channel is closed', () =>
      provider.store.payeeChannels.all().every(({ lastCheckpoint }) => lastCheckpoint?.checkpoint.final),
    );
    const have = transfer.haveBytes;
    await staysFor('what is here', 500, () => transfer.haveBytes);
    expect(transfer.haveBytes).toBe(have);
    await viewer.setLimits({ downloadBytesPerSecond: null });
    await waitFor('the rest', () => transfer.state === 'done');
    await settleUp(viewer, provider, contentId);
    expect([revealedUnits(viewer), paidUnits(provider)]).toEqual([30, 30]);
  });
});

it('a provider that has used up its data of a day tells its viewers until when', async () => {
  const { provider, viewer, download } = await provided(12);
  const midnight = () => endOfDay(dayOf(Date.now()));
  const earliest = midnight();
  await provider.setLimits({ dataPerDayBytes: 4 * MIB });
  const transfer = await download();
  await waitFor('the reason', () => transfer.reason?.code === 'ProviderStopped');
  const untilMs = Number(transfer.reason?.details.untilMs);
  // By clocks that are looked at one after the other.
  expect(untilMs).toBeGreaterThanOrEqual(earliest);
  expect(untilMs).toBeLessThan(midnight() + 60_000);
  expect(revealedUnits(viewer)).toBeLessThan(12);
  await provider.setLimits({ dataPerDayBytes: null });
  await waitFor('all of it', () => transfer.state === 'done');
  expect(transfer.reason).toBeNull();
});

it('a viewer takes no more than the data of a day, and counts on after a restart', async () => {
  const { net, provider, viewer, contentId, download } = await provided(20);
  const { dir } = viewer;
  await viewer.setLimits({ dataPerDayBytes: 10 * MIB });
  const transfer = await download();
  await waitFor('it is paused', () => transfer.state === 'paused');
  expect(transfer.reason?.message).toContain('stopped until midnight');
  await waitFor('what was asked for is here', () => transfer.haveBytes >= 9 * MIB);
  // What is protocol and payment counts too, so the tenth piece does not fit any more.
  expect(transfer.haveBytes).toBe(9 * MIB);
  const used = viewer.limits.data.dayBytes;
  expect(used).toBeGreaterThan(9 * MIB);
  await viewer.stop();
  const again = await net.peer(dir.slice(net.dir.length + 1));
  expect(again.limits.data.dayBytes).toBeGreaterThanOrEqual(used);
  await again.setLimits({ dataPerDayBytes: null });
  await fetchWhole(again, contentId);
  await settleUp(again, provider, contentId);
  expect([revealedUnits(again), paidUnits(provider)]).toEqual([20, 20]);
});

it('keeps connections to a number, except those to validators', async () => {
  const { net, provider, download } = await provided(4);
  const transfer = await download();
  await waitFor('fetched', () => transfer.state === 'done');
  expect(provider.host.getConnections().length).toBeGreaterThan(1);
  await provider.setLimits({ maxConnections: 0 });
  await waitFor('the others are gone', () => provider.host.getConnections().length === 1);
  expect(provider.shardClient.connected).toBe(true);
  const other = await net.peer();
  await other.host.dial(provider.host.getMultiaddrs()).catch(() => undefined); // it is dropped during or after the dial
  await waitFor('the new one is gone', () => other.host.getConnections(provider.host.peerId).length === 0);
  expect(provider.host.getConnections().length).toBe(1);
  expect(provider.limits.stops().map(({ message }) => message)).toEqual([
    'Downloading is stopped: your settings allow no connection to other nodes',
    'Uploading is stopped: your settings allow no connection to other nodes',
  ]);
});
