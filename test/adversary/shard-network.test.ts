/** Attacks on the validator from the network: announcements, connections, the faucet, and signatures. */
import { randomBytes } from 'node:crypto';
import { multiaddr } from '@multiformats/multiaddr';
import { describe, expect, it } from 'vitest';
import { createHost } from '../../main/p2p/host.ts';
import {
  MAX_TOP_UP,
  MAX_TOP_UP_PER_CLIENT_AND_DAY,
  MAX_TOP_UP_PER_DAY,
} from '../../main/validator/faucet-limits.ts';
import { AceError } from '../../shared/errors.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { fetchWhole, MIB, useDevnet } from '../helpers/devnet.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';
import { waitFor } from '../helpers/wait.ts';

describe('announcing', () => {
  it('takes only addresses of the peer that announces, and hides no content with others', async () => {
    const net = await useDevnet();
    const provider = await net.peer('provider');
    const { contentId } = await net.content(provider, 2 * MIB);
    const bad = await RawViewer.start(net);
    const announce = (...multiaddrs: string[]) =>
      bad.shard.call('announce', { certificate: bad.certificate, contentIds: [contentId], multiaddrs });
    const own = `/p2p/${bad.host.peerId}`;
    const others = provider.host.getMultiaddrs().map(String);
    for (const text of ['garbage', `garbage${own}`, own, '/ip4/1.2.3.4/tcp/1', ...others]) {
      await expectAceRejection('MessageMalformed', announce(text));
    }
    const good = `/ip4/127.0.0.1/tcp/9${own}`;
    await announce('garbage', good, ...others);
    const { providers } = await bad.shard.call('providers', { contentId });
    expect(providers.find((p) => p.peerId === bad.host.peerId.toString())?.multiaddrs).toEqual([good]);
    await fetchWhole(await net.peer('viewer'), contentId);
  });

  it('takes only ids of contents', async () => {
    const net = await useDevnet();
    const bad = await RawViewer.start(net);
    const asked = bad.shard.call('providers', { contentId: 'x'.repeat(90) });
    await expectAceRejection('MessageMalformed', asked);
  });
});

describe('connections', () => {
  it('of one peer leave room for the others', async () => {
    const net = await useDevnet();
    const evil = await createHost({ deviceSeed: randomBytes(32), listen: [], maxConnections: 1_000 });
    net.owns(async () => evil.stop());
    const address = multiaddr(net.validator.multiaddr);
    for (let i = 0; i < 40; i++) {
      await evil.dial(address, { force: true, signal: AbortSignal.timeout(3_000) }).catch(() => undefined);
    }
    await waitFor(
      'the extra ones are closed',
      () => net.validator.host.getConnections(evil.peerId).length <= 2,
    );
    expect(net.validator.host.getConnections(evil.peerId).length).toBeGreaterThan(0);
    await net.peer('honest');
  });
});

describe('the faucet', () => {
  it('gives so much at once and so much a day', async () => {
    const net = await useDevnet();
    const viewer = await RawViewer.start(net);
    const ask = (amountXat: bigint, account = viewer.account.address) =>
      viewer.shard.call('faucet', { account, amountXat });
    for (const amountXat of [0n, MAX_TOP_UP + 1n, 1_000_000n * 10_000_000n]) {
      await expectAceRejection('InvalidAmount', ask(amountXat));
    }
    for (let left: bigint = MAX_TOP_UP_PER_DAY; left > 0n; left -= MAX_TOP_UP) await ask(MAX_TOP_UP);
    const error = await expectAceRejection('TooManyRequests', ask(1n));
    expect(error.details).toMatchObject({ leftXat: '0.0000000' });
    await ask(1n, `0x${'1'.repeat(40)}`);
  });

  // Before, one client named one fresh account after the other, and had all 1,000,000 XAT in 4.1 s.
  it('gives one client no more than its share, however many accounts it names', async () => {
    const net = await useDevnet();
    const [greedy, other] = [await RawViewer.start(net), await RawViewer.start(net)];
    const account = (i: number) => `0x${i.toString(16).padStart(40, '1')}`;
    let given = 0n;
    for (let i = 0; given + MAX_TOP_UP <= MAX_TOP_UP_PER_CLIENT_AND_DAY; i++) {
      await greedy.shard.call('faucet', { account: account(i), amountXat: MAX_TOP_UP });
      given += MAX_TOP_UP;
    }
    const more = greedy.shard.call('faucet', { account: account(999), amountXat: 1n });
    await expectAceRejection('TooManyRequests', more);
    await other.shard.call('faucet', { account: account(999), amountXat: 1n });
  });

  it('has paid out even when settling fails, and the validator says so in its log', async () => {
    const net = await useDevnet({ settlementIntervalMs: 600_000 });
    const viewer = await RawViewer.start(net);
    const provider = await net.peer('provider');
    const { contentId } = await net.content(provider, 2 * MIB);
    await fetchWhole(await net.peer('debtor'), contentId);
    await provider.claims.now();
    const chain = net.validator.chain as { applyBatch: unknown };
    const apply = chain.applyBatch;
    chain.applyBatch = async () => {
      throw new AceError('BatchMalformed', 'refused');
    };
    await viewer.shard.call('faucet', { account: viewer.account.address, amountXat: 10n });
    const { services } = await viewer.shard.call('account', { address: viewer.account.address });
    expect(services.XAT).toBe(10n);
    await waitFor('the log has it', () => net.validatorErrors().includes('BatchMalformed'));
    // Others go on: leases are granted while the batch waits.
    await viewer.lease(provider, 1);
    chain.applyBatch = apply;
    await viewer.shard.call('settle', {});
  });
});
