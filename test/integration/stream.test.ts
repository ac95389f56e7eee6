import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Transfer } from '../../main/transfer/transfer.ts';
import { createDevice } from '../../main/wallet/device.ts';
import { createPhrase } from '../../main/wallet/phrase.ts';
import { CHECKPOINT_EVERY_MS } from '../../shared/channel/payer.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import {
  fetchWhole,
  MIB,
  paidUnits,
  piecesFile,
  revealedUnits,
  settleUp,
  ticksArrived,
  useDevnet,
} from '../helpers/devnet.ts';
import { makeFile, sha256OfFile } from '../helpers/files.ts';
import { peakBytesOfStream } from '../helpers/peak-memory.ts';
import { itInTiers } from '../helpers/tiers.ts';
import { staysFor, waitFor } from '../helpers/wait.ts';

describe('a paid stream', () => {
  itInTiers({
    quick: [
      ['1 MiB + 1', MIB + 1, 2, 'a.bin'],
      ['five pieces and a half', 5.5 * MIB, 6, 'Рассвет в гавани (2026).mp4'],
    ],
    long: [
      ['1 MiB', MIB, 1, 'a.bin'],
      ['twenty pieces and a half', 20.5 * MIB, 21, 'a.bin'],
      ['one byte', 1, 1, 'a.bin'],
      ['1 MiB − 1', MIB - 1, 1, 'a.bin'],
    ],
  })(
    'delivers %s exactly, and both sides and the shard count the same units',
    async (_what, size, units, name) => {
      const net = await useDevnet();
      const [provider, viewer] = [await net.peer(), await net.peer()];
      const { contentId } = await net.content(provider, size, name);
      await fetchWhole(viewer, contentId);
      expect(await sha256OfFile(piecesFile(viewer, contentId))).toBe(await sha256OfFile(join(net.dir, name)));
      expect(viewer.store.contents.get(contentId)?.name).toBe(name);
      await settleUp(viewer, provider, contentId);
      expect(revealedUnits(viewer)).toBe(units);
      expect(paidUnits(provider)).toBe(units);
      expect(provider.store.payeeChannels.all().map((row) => row.claimedUnits)).toEqual([units]);
      const account = await net.validator.chain.account(viewer.account.address);
      expect(account.creditUsedUnits).toBe(units);
      await net.expectConserved();
    },
  );

  it('has a checkpoint by time also while nothing is fetched', async () => {
    const net = await useDevnet();
    const [provider, viewer] = [await net.peer(), await net.peer()];
    const { contentId } = await net.content(provider, 3 * MIB);
    const transfer = await viewer.library.transfer(contentId);
    // A reader keeps the session open when all is there.
    const reader = transfer.addReader(0);
    await waitFor('all fetched', () => transfer.state === 'done');
    const checkpoint = () => provider.store.payeeChannels.all()[0]?.lastCheckpoint?.checkpoint ?? null;
    expect(checkpoint()).toBeNull();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + CHECKPOINT_EVERY_MS });
    onTestFinished(() => void vi.useRealTimers());
    await waitFor('a checkpoint', () => checkpoint() !== null);
    expect(checkpoint()).toMatchObject({ units: 3, final: false });
    transfer.removeReader(reader);
  });

  it('takes no more memory for 150 MiB than for 50', { tags: 'long' }, async () => {
    const [small, large] = [await peakBytesOfStream(50), await peakBytesOfStream(150)];
    // Peaks of one size differ by 30 MiB, with when buffers are collected: it is not one byte for each of the 100 MiB.
    expect(large - small).toBeLessThan(64 * MIB);
  });

  it('between two devices of one account is free', async () => {
    const net = await useDevnet();
    const phrase = createPhrase(12);
    const [desk, sofa] = [
      await net.peer('desk', { phrase, deviceSeed: createDevice().seed() }),
      await net.peer('sofa', { phrase, deviceSeed: createDevice().seed() }),
    ];
    expect(desk.account.address).toBe(sofa.account.address);
    const { contentId } = await net.content(desk, 5 * MIB);
    await fetchWhole(sofa, contentId);
    expect(await sha256OfFile(piecesFile(sofa, contentId))).toBe(
      await sha256OfFile(piecesFile(desk, contentId)),
    );
    expect(sofa.store.payerChannels.all()).toEqual([]);
    expect(desk.store.payeeChannels.all()).toEqual([]);
  });

  it('pauses at the credit limit, and a top-up repays the loan and lets it go on by itself', async () => {
    const net = await useDevnet({ trafficCreditLimitUnits: 8 });
    const [provider, viewer] = [await net.peer(), await net.peer()];
    const { contentId } = await net.content(provider, 20 * MIB);
    const transfer = await viewer.library.transfer(contentId);
    transfer.download();
    await waitFor('the transfer is paused', () => transfer.state === 'paused');
    expect(transfer.reason?.code).toBe('CreditExhausted');
    expect(revealedUnits(viewer)).toBe(8);
    await ticksArrived(viewer, provider);
    await provider.claims.now();
    await provider.shardClient.call('settle', {});
    expect((await net.validator.chain.account(viewer.account.address)).creditUsedUnits).toBe(8);

    await net.topUp(viewer.account.address, 10_000_000n);
    await waitFor('the transfer goes on', () => transfer.state === 'done');
    await settleUp(viewer, provider, contentId);
    const account = await net.validator.chain.account(viewer.account.address);
    expect(account.creditUsedUnits).toBe(0);
    // 20 units at 4 GB per XAT: 48,829 base units at most, each payment rounded up.
    expect(10_000_000n - account.services.XAT).toBeGreaterThanOrEqual(48_828n);
    expect(10_000_000n - account.services.XAT).toBeLessThan(48_900n);
    await net.expectConserved();
  });

  it('never lets one account owe more than its limit, over several providers at once', {
    tags: 'long',
  }, async () => {
    const limit = 12;
    const net = await useDevnet({ trafficCreditLimitUnits: limit });
    const viewer = await net.peer('viewer');
    const providers = await Promise.all([1, 2, 3, 4].map((n) => net.peer(`provider-${n}`)));
    const transfers: Transfer[] = [];
    for (const provider of providers) {
      const { contentId } = await net.content(provider, 4 * MIB, `${provider.account.address}.bin`);
      transfers.push(await viewer.library.transfer(contentId));
    }
    for (const transfer of transfers) transfer.download();
    await waitFor('the credit is used up', () => revealedUnits(viewer) === limit);
    await staysFor('units revealed', 500, () => revealedUnits(viewer));
    for (const provider of providers) await ticksArrived(viewer, provider);
    for (const provider of providers) await provider.claims.now();
    await viewer.shardClient.call('settle', {});
    expect(revealedUnits(viewer)).toBe(limit);
    expect(providers.map(paidUnits).reduce((sum, units) => sum + units, 0)).toBe(limit);
    expect((await net.validator.chain.account(viewer.account.address)).creditUsedUnits).toBe(limit);
  });
});

describe('a file that cannot be shared', () => {
  it('is refused by name', async () => {
    const net = await useDevnet();
    const peer = await net.peer();
    const folder = join(net.dir, 'folder');
    mkdirSync(folder);
    const empty = await makeFile(join(net.dir, 'empty.bin'), 0);
    expect((await expectAceRejection('ContentEmpty', peer.import({ path: empty }))).message).toContain(empty);
    await expectAceRejection('FileUnreadable', peer.import({ path: folder }));
    await expectAceRejection('FileMissing', peer.import({ path: join(net.dir, 'gone.bin') }));
    expect(peer.store.contents.list()).toEqual([]);
  });
});

describe('the test files', () => {
  it('have no two pieces alike', async () => {
    const net = await useDevnet();
    const peer = await net.peer();
    const { contentId } = await net.content(peer, 8 * MIB);
    const hashes = [];
    for (let i = 0; i < 8; i++) {
      hashes.push(
        createHash('sha256')
          .update(await peer.pieces.read(contentId, i, 8 * MIB))
          .digest('hex'),
      );
    }
    expect(new Set(hashes).size).toBe(8);
  });
});
