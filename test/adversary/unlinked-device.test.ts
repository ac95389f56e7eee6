/**
 * A stolen device, after its account has unlinked it. Before, its leases went on to their end: 300 MiB more were served
 * and charged, and 61 leases of 10,240 units each were granted at once, for a week.
 */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { MainChain } from '../../main/chain/port.ts';
import { settle } from '../../main/validator/batching.ts';
import { MAX_DEVICE_LEASES, MAX_DEVICE_UNITS } from '../../main/validator/limits.ts';
import { submitOperation } from '../../main/validator/operations.ts';
import { finishUnlinking } from '../../main/validator/unlinking.ts';
import { operationTypedData } from '../../main/wallet/typed-data.ts';
import { encodeSignedOperation, type Operation } from '../../shared/economy/operation.ts';
import { expectAceError, expectAceRejection } from '../helpers/ace-error.ts';
import { MIB, useDevnet } from '../helpers/devnet.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';
import { type Party, party, TestShard } from '../helpers/shard.ts';
import { DAY_MS } from '../helpers/stage.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { waitFor } from '../helpers/wait.ts';

const HOUR_MS = 3_600_000;
const [THIEF, PAYEE] = [party(1), party(2)];

function startShard(xat = '1000') {
  const shard = new TestShard(tempDir(), {}, [[THIEF.account.address, 'XAT', xat]]);
  onTestFinished(() => shard.close());
  return shard;
}

async function unlinkBytes(shard: TestShard, { account, device }: Party): Promise<Uint8Array> {
  const { nonce } = await shard.chain.account(account.address);
  const operation: Operation = {
    kind: 'unlink',
    from: account.address,
    nonce,
    device: Buffer.from(device.publicKey).toString('hex'),
  };
  const signature = await account.signTypedData(operationTypedData(shard.settings, operation));
  return encodeSignedOperation(operation, Buffer.from(signature.slice(2), 'hex'));
}

describe('the leases of an unlinked device', () => {
  it('end at once: their payees are told, and claim what they were paid within the hour after', async () => {
    const shard = startShard();
    const leased = await shard.lease(THIEF, PAYEE, 1_000, { expiresAtMs: shard.nowMs + DAY_MS / 2 });
    shard.claim(leased, 10);
    const { accounts } = await submitOperation(shard.context, await unlinkBytes(shard, THIEF));
    expect(accounts).toContain(PAYEE.account.address);

    // What was paid before the payee could know.
    shard.nowMs += HOUR_MS;
    expect(shard.claim(leased, 40)).toEqual({ claimedUnits: 40, released: false, ended: true });
    await settle(shard.context);
    // The rest is the account's again, and nobody claims it any more.
    shard.nowMs += 1;
    await settle(shard.context);
    expect(shard.store.leases.reservedUnits(THIEF.account.address)).toBe(0);
    expectAceError('ClaimInvalid', () => shard.claim(leased, 41));
    await expectAceRejection('LeaseRefused', shard.lease(THIEF, PAYEE, 1));
  });

  it('stand when the chain refuses the operation', async () => {
    const shard = startShard();
    const leased = await shard.lease(THIEF, PAYEE, 10);
    const bytes = await unlinkBytes(shard, { account: party(3).account, device: THIEF.device });
    await submitOperation(shard.context, bytes).catch(() => undefined);
    expect(shard.claim(leased, 1)).toEqual({ claimedUnits: 1, released: false });
    expect(shard.store.unlinking.all()).toEqual([]);
  });

  it('end at the next start, when the shard was killed before it ended them', async () => {
    const shard = startShard();
    const leased = await shard.lease(THIEF, PAYEE, 10);
    const bytes = await unlinkBytes(shard, THIEF);
    // The chain has taken the operation, and nothing more is heard of it.
    const overrides: Partial<MainChain> = {
      submit: async (signed) => {
        await shard.chain.submit(signed);
        throw new Error('killed');
      },
      deviceLink: async () => {
        throw new Error('killed');
      },
    };
    const chain = new Proxy(shard.chain, {
      get: (target, name: keyof MainChain) => overrides[name] ?? target[name].bind(target as never),
    });
    const dead = { ...shard.context, chain };
    await expect(submitOperation(dead, bytes)).rejects.toThrow('killed');
    expect(shard.claim(leased, 1)).toEqual({ claimedUnits: 1, released: false });
    await finishUnlinking(shard.context);
    expect(shard.claim(leased, 2)).toEqual({ claimedUnits: 2, released: false, ended: true });
  });
});

describe('one device', () => {
  it('leased 61 times 10,240 units at once before, and at most 20,480 now', async () => {
    const shard = startShard();
    let units = 0;
    for (let i = 0; i < 61; i++) {
      const granted = await shard
        .lease(THIEF, party(10 + i), 10_240, { expiresAtMs: shard.nowMs + DAY_MS })
        .catch((error: unknown) => {
          expect(error).toMatchObject({
            code: 'LeaseRefused',
            details: { maxDeviceUnits: MAX_DEVICE_UNITS },
          });
          return null;
        });
      if (granted) units += 10_240;
    }
    expect(units).toBe(MAX_DEVICE_UNITS);
  });

  it('leases no more than it can use until the terms expire', async () => {
    const shard = startShard();
    const expiresAtMs = shard.nowMs + 10_000;
    await expectAceRejection('LeaseRefused', shard.lease(THIEF, PAYEE, 1_281, { expiresAtMs }));
    await shard.lease(THIEF, PAYEE, 1_280, { expiresAtMs });
  });

  it('has as many leases as providers, up to a bound', { tags: 'long' }, async () => {
    const shard = startShard();
    for (let i = 0; i < MAX_DEVICE_LEASES; i++) await shard.lease(THIEF, PAYEE, 1);
    await expectAceRejection('LeaseRefused', shard.lease(THIEF, PAYEE, 1));
  });
});

describe('a provider that serves a stolen device', () => {
  it('stops when it is told, is paid for all that it served, and takes up no other lease of the device', async () => {
    const net = await useDevnet({ settlementIntervalMs: HOUR_MS });
    const provider = await net.peer('provider');
    const content = await net.content(provider, 64 * MIB);
    const thief = await RawViewer.start(net);
    const channel = await thief.lease(provider, 60);
    const spare = await thief.lease(provider, 60);
    const stream = await thief.open(provider, channel);
    const takeOne = async (i: number) => {
      stream.request(content.contentId, i);
      await stream.takePiece();
      stream.pay(channel, i + 1);
    };
    for (let i = 0; i < 10; i++) await takeOne(i);

    const operation: Operation = {
      kind: 'unlink',
      from: thief.account.address,
      nonce: 0,
      device: Buffer.from(thief.device.publicKey).toString('hex'),
    };
    const typed = operationTypedData(net.validator.settings, operation);
    const signature = await thief.account.signTypedData(typed);
    const anyone = await net.peer();
    await anyone.shardClient.call('submit', {
      operation: encodeSignedOperation(operation, Buffer.from(signature.slice(2), 'hex')),
    });
    const stateOf = (channelId: Uint8Array) => provider.store.payeeChannels.get(channelId);
    await waitFor('the provider knows', () => stateOf(channel.channelId)?.state.status === 'expired', 10_000);
    const id = stream.request(content.contentId, 10);
    expect(await stream.expect('refused')).toEqual({ type: 'refused', id, code: 'ChannelExpired' });
    await provider.claims.now();
    expect(stateOf(channel.channelId)).toMatchObject({ claimedUnits: 10, state: { paidUnits: 10 } });

    // A lease that it has kept for later: asked about when it is taken up, at most a window is served on it.
    const again = await thief.open(provider, spare);
    await waitFor(
      'the shard has said so',
      () => stateOf(spare.channelId)?.state.status === 'expired',
      10_000,
    );
    const late = again.request(content.contentId, 11);
    expect(await again.expect('refused')).toEqual({ type: 'refused', id: late, code: 'ChannelExpired' });
    stream.vanish();
    again.vanish();
  });
});
