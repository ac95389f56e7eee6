/** Scenario 4 (channels on two shards) and scenario 29 (a shard is down), on a network of three shards. */
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PayeeService } from '../../main/channel/payee.ts';
import { openNodeStore } from '../../main/db/node/store.ts';
import type { RunningPeer } from '../../main/peer/peer.ts';
import { sha256 } from '../../main/util/sha256.ts';
import { runDevnetValidator } from '../../main/validator/devnet.ts';
import { accountFromPhrase, signOperation } from '../../main/wallet/account.ts';
import { encodeCertificate, issueCertificate } from '../../main/wallet/certificate.ts';
import { createDevice, deviceFromSeed } from '../../main/wallet/device.ts';
import { channelIdOf, encodeLease, encodeTerms } from '../../shared/channel/records.ts';
import { TickChain } from '../../shared/channel/tick-chain.ts';
import { amount } from '../../shared/economy/money.ts';
import { encodeSignedOperation } from '../../shared/economy/operation.ts';
import { AceError, isAceError } from '../../shared/errors.ts';
import { expectAceError } from '../helpers/ace-error.ts';
import { addressHomedAt, shardedSettings, VALIDATORS } from '../helpers/chain.ts';
import { fetchWhole, MIB, paidUnits, revealedUnits } from '../helpers/devnet.ts';
import { secretsAt, useShards } from '../helpers/shards.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { waitFor } from '../helpers/wait.ts';

/** A payer that asks any shard for any lease, over the lines of an honest peer. */
class GreedyPayer {
  readonly #lines: RunningPeer;
  readonly #device = createDevice();
  readonly account;

  constructor(lines: RunningPeer, home: number) {
    this.#lines = lines;
    this.account = accountFromPhrase(secretsAt(home, 3).phrase);
  }

  /** Terms that name the shard `named`, handed to the shard `asked`. Answers with the units leased, or the refusal. */
  async lease(named: number, asked: number, capacityUnits: number): Promise<number | AceError> {
    const { settings, account: payee } = this.#lines;
    const terms = encodeTerms({
      networkId: settings.networkId,
      shard: named,
      payer: this.account.address,
      payee: payee.address,
      payerDevice: this.#device.publicKey,
      payeeDevice: createDevice().publicKey,
      capacityUnits,
      anchor: sha256(randomBytes(32)),
      expiresAtMs: Date.now() + 3_600_000,
      nonce: new Uint8Array(randomBytes(16)),
    });
    const certificate = encodeCertificate(
      await issueCertificate(this.account, settings, this.#device.publicKey, Date.now()),
    );
    const termsSignature = this.#device.sign(terms);
    return this.#lines.lines
      .of(asked)
      .call('lease', { terms, termsSignature, certificate })
      .then(
        () => capacityUnits,
        (error: unknown) => {
          if (isAceError(error)) return error;
          throw error;
        },
      );
  }
}

describe('a payer that asks every shard for leases', () => {
  it('is leased by its home shard alone, and in all exactly what its credit is', async () => {
    const shards = await useShards(3);
    const payer = new GreedyPayer(await shards.peer(0), 1);
    const asked = await Promise.all(
      Array.from({ length: 60 }, (_, i) => payer.lease(i % 3, i % 3, 600 + (i % 7))),
    );
    const leased = asked.map((answer) => (typeof answer === 'number' ? answer : 0));
    for (const [i, answer] of asked.entries()) {
      if (i % 3 === 1) continue;
      expect(answer).toMatchObject({ code: 'WrongShard', details: { shard: 1 } });
    }
    // Terms of another shard, handed to this one, or the other way round.
    expect(await payer.lease(1, 2, 1)).toMatchObject({ code: 'WrongNetwork' });
    await waitFor('the line is up again', () =>
      payer.lease(2, 1, 1).then((a) => a instanceof AceError && a.code === 'WrongNetwork'),
    );

    const total = leased.reduce((sum, units) => sum + units, 0);
    const rest = 10_240 - total;
    expect(rest).toBeGreaterThanOrEqual(0);
    await waitFor('the rest is leased', async () => rest === 0 || (await payer.lease(1, 1, rest)) === rest);
    expect(await payer.lease(1, 1, 1)).toMatchObject({
      code: 'CreditExhausted',
      details: { leasableUnits: 0 },
    });
    for (const other of [0, 2])
      expect(await payer.lease(other, other, 1)).toMatchObject({ code: 'WrongShard' });
  });

  it('gets no account view, top-up or operation at another shard', async () => {
    const shards = await useShards(3);
    const peer = await shards.peer(2);
    const account = peer.account.address;
    const { signature, operation } = await signOperation(peer.account, peer.settings, {
      kind: 'transfer',
      place: 'services',
      from: account,
      to: addressHomedAt(0),
      token: 'XAT',
      amount: amount(1n),
      nonce: 0,
    });
    const bytes = encodeSignedOperation(operation, Buffer.from(signature.slice(2), 'hex'));
    for (const other of [0, 1]) {
      const line = peer.lines.of(other);
      for (const call of [
        line.call('account', { address: account }),
        line.call('faucet', { account, amountXat: 1n }),
        line.call('submit', { operation: bytes }),
      ]) {
        expect(await call.catch((error: unknown) => error)).toMatchObject({
          code: 'WrongShard',
          details: { shard: 2 },
        });
      }
    }
  });

  it('is not served on the lease of a shard that is not its home, whoever signed it', () => {
    const settings = shardedSettings();
    const store = openNodeStore(join(tempDir(), 'node.db'));
    const [payer, payee] = [addressHomedAt(1), addressHomedAt(0)];
    const [payerDevice, device] = [4, 5].map((n) => deviceFromSeed(new Uint8Array(32).fill(n)));
    if (!payerDevice || !device) throw new Error('no devices');
    const service = new PayeeService({
      store,
      settings,
      account: payee,
      device,
      windowCapUnits: 8,
      isRefused: () => false,
      nowMs: () => 1_000,
    });
    const open = (shard: number) => {
      const seed = createHash('sha256').update(`shard ${shard}`).digest();
      const terms = {
        networkId: settings.networkId,
        shard,
        payer,
        payee,
        payerDevice: payerDevice.publicKey,
        payeeDevice: device.publicKey,
        capacityUnits: 10,
        anchor: TickChain.fromSeed(seed, 10, sha256).anchor,
        expiresAtMs: 2_000,
        nonce: new Uint8Array(16),
      };
      const bytes = encodeTerms(terms);
      const { capacityUnits, expiresAtMs } = terms;
      const lease = encodeLease({
        channelId: channelIdOf(encodeTerms(terms), sha256),
        shard,
        capacityUnits,
        expiresAtMs,
      });
      const validator = VALIDATORS[shard];
      if (!validator) throw new Error('no validator');
      return service.open(
        { account: payer, device: payerDevice.publicKey },
        { terms: bytes, termsSignature: payerDevice.sign(bytes), leaseSignature: validator.sign(lease) },
      );
    };
    expectAceError('ChannelUnleased', () => open(0));
    expectAceError('ChannelUnleased', () => open(2));
    expect(open(1).payer).toBe(payer);
    store.close();
  });
});

describe('a shard that is down', () => {
  it('stops its own payers only, and gets the claims on it when it is back', { tags: 'long' }, async () => {
    const shards = await useShards(3);
    const [provider, other, own] = await Promise.all([shards.peer(1), shards.peer(0), shards.peer(2)]);
    const first = await shards.net.content(provider, 2 * MIB, 'first.bin');
    const second = await shards.net.content(provider, 3 * MIB, 'second.bin');
    await fetchWhole(own, first.contentId);
    await shards.stop(2);
    await own.library.stopTransfer(first.contentId);
    await waitFor('the lines to it are down', () =>
      [provider, own].every((peer) => !peer.lines.of(2).connected),
    );

    // What it owes is kept; the claims of the other shards go out.
    await fetchWhole(other, second.contentId);
    await other.library.stopTransfer(second.contentId);
    await expect(provider.claims.now()).rejects.toMatchObject({ code: 'ShardUnavailable' });
    const unclaimed = () =>
      provider.store.payeeChannels
        .toClaim()
        .map((row) => row.payer)
        .sort();
    expect(unclaimed()).toEqual([own.account.address]);
    await shards.of(0).validator.settleNow();
    expect((await shards.of(0).chain.account(other.account.address)).creditUsedUnits).toBe(3);

    // Its own payer finds providers still, and waits for its lease.
    const waiting = await own.library.transfer(second.contentId);
    waiting.download();
    await waitFor('the transfer says why it waits', () => waiting.reason?.code === 'ShardUnavailable');
    expect(revealedUnits(own)).toBe(2);

    await shards.start(2);
    await Promise.all([shards.linesUp(provider), shards.linesUp(own)]);
    await waitFor('the rest is fetched', () => waiting.state === 'done');
    await own.library.stopTransfer(second.contentId);
    // Either of the two that have it by now may have sent it.
    await Promise.all([provider.claims.now(), other.claims.now()]);
    await shards.settle();
    expect(unclaimed()).toEqual([]);
    expect((await shards.of(2).chain.account(own.account.address)).creditUsedUnits).toBe(5);
    expect(paidUnits(provider) + paidUnits(other)).toBe(8);
    await shards.net.expectConserved();
  });

  it('that has the chain stops leases and settling everywhere by name, and nothing is lost', {
    tags: 'long',
  }, async () => {
    const shards = await useShards(2);
    const [provider, viewer] = await Promise.all([shards.peer(1), shards.peer(1)]);
    const { contentId } = await shards.net.content(provider, 2 * MIB);
    await fetchWhole(viewer, contentId);
    await shards.net.validator.stop();
    // The shard holds proof of what was paid though it cannot settle it.
    await viewer.library.stopTransfer(contentId);
    await provider.claims.now();
    expect(provider.store.payeeChannels.toClaim()).toEqual([]);
    await expect(shards.of(1).validator.settleNow()).rejects.toMatchObject({ code: 'ShardUnavailable' });
    // What it has just been told the shard may still tell for a moment.
    await waitFor('an answer that the chain is away', () =>
      viewer.shardClient.call('account', { address: viewer.account.address }).then(
        () => false,
        (error: unknown) => isAceError(error, 'ShardUnavailable'),
      ),
    );

    const back = await runDevnetValidator({ dataDir: join(shards.net.dir, 'validator'), port: 0 });
    shards.net.owns(() => back.stop());
    await shards.of(1).validator.settleNow();
    expect((await back.chain.account(viewer.account.address)).creditUsedUnits).toBe(2);
    expect(paidUnits(provider)).toBe(2);
  });
});
