import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Reports } from '../../../../main/channel/reports.ts';
import { MAX_EQUIVOCATIONS } from '../../../../main/db/node/equivocations.ts';
import { openNodeStore } from '../../../../main/db/node/store.ts';
import { createLog } from '../../../../main/process/log.ts';
import { createDevice } from '../../../../main/wallet/device.ts';
import { anchorProof } from '../../../../shared/channel/equivocation.ts';
import { encodeTerms } from '../../../../shared/channel/records.ts';
import { AceError } from '../../../../shared/errors.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';
import { staysFor } from '../../../helpers/wait.ts';

const away = async () => {
  throw new AceError('ShardUnavailable', 'away');
};

/** Two terms of one new device with one anchor. */
function proof(signer = createDevice()) {
  const payerDevice = createDevice().publicKey;
  const signed = (nonce: number, key = signer.publicKey) => {
    const record = encodeTerms({
      networkId: 'test',
      shard: 0,
      payer: `0x${'1'.repeat(40)}`,
      payee: `0x${'2'.repeat(40)}`,
      payerDevice: key,
      payeeDevice: payerDevice,
      capacityUnits: 1,
      anchor: new Uint8Array(32),
      expiresAtMs: 1,
      nonce: new Uint8Array(16).fill(nonce),
    });
    return { record, signature: signer.sign(record) };
  };
  return {
    good: anchorProof(signed(1), signed(2)),
    forged: anchorProof(signed(1, payerDevice), signed(2, payerDevice)),
  };
}

describe('reports', () => {
  let path = '';
  beforeEach(() => {
    path = join(tempDir(), 'node.db');
  });
  const open = (report: (bytes: Uint8Array) => Promise<unknown>) => {
    const store = openNodeStore(path);
    const reports = new Reports(store, 'test', { report }, createLog(null), 10);
    const stop = async () => {
      await reports.stop();
      store.close();
    };
    return { store, reports, stop };
  };

  it('are tried again until the shard has answered, over a restart, and then no more', async () => {
    const failing = vi.fn(away);
    const first = open(failing);
    first.reports.add(proof().good);
    await vi.waitFor(() => expect(failing.mock.calls.length).toBeGreaterThan(2));
    await first.stop();

    const taking = vi.fn(async () => ({}));
    const second = open(taking);
    onTestFinished(second.stop);
    second.reports.soon();
    await vi.waitFor(() => expect(second.store.equivocations.all()[0]?.state).toBe('taken'));
    second.reports.soon();
    expect(await staysFor('what the shard was told', 50, () => taking.mock.calls.length)).toBe(1);
  });

  it('that the shard refuses are not told again, and hold up no other', async () => {
    const answers = [new AceError('ChannelUnleased', 'no such lease')];
    const { store, reports, stop } = open(async () => {
      const refusal = answers.shift();
      if (refusal) throw refusal;
      return {};
    });
    onTestFinished(stop);
    reports.add(proof().good);
    reports.add(proof().good);
    await vi.waitFor(() =>
      expect(store.equivocations.all().map(({ state }) => state)).toEqual(['refused', 'taken']),
    );
  });

  it('are one for each device', async () => {
    const { store, reports, stop } = open(away);
    onTestFinished(stop);
    const one = proof();
    reports.add(one.good);
    reports.add(one.good);
    expect(store.equivocations.all()).toHaveLength(1);
  });

  it('of what proves nothing are not kept', async () => {
    const { store, reports, stop } = open(away);
    onTestFinished(stop);
    expectAceError('InvalidSignature', () => reports.add(proof().forged));
    expect(store.equivocations.all()).toEqual([]);
  });

  it('are so many at most: what was answered makes room, what waits is never lost', async () => {
    const { store, stop } = open(away);
    onTestFinished(stop);
    const row = (i: number) => ({
      device: Buffer.from(String(i)),
      account: `0x${'1'.repeat(40)}`,
      shard: 0,
      proof: new Uint8Array(0),
    });
    store.commit(() => {
      for (let i = 0; i < MAX_EQUIVOCATIONS; i++) store.equivocations.insert(row(i));
    });
    expect(store.equivocations.insert(row(-1))).toBe(false);
    store.equivocations.setState(row(5).device, 'taken');
    expect(store.equivocations.insert(row(-1))).toBe(true);
    expect(store.equivocations.all()).toHaveLength(MAX_EQUIVOCATIONS);
    expect(store.equivocations.all().some(({ device }) => Buffer.from(device).toString() === '5')).toBe(
      false,
    );
  });
});
