import { join } from 'node:path';
import * as dagCbor from '@ipld/dag-cbor';
import { describe, expect, it } from 'vitest';
import { openEmbeddedChain } from '../../../../../main/chain/embedded/embedded-chain.ts';
import { decodeGenesis, encodeGenesis } from '../../../../../main/chain/embedded/genesis-record.ts';
import { readGenesis } from '../../../../../main/chain/embedded/stored-chain.ts';
import { openChainStore } from '../../../../../main/db/chain/store.ts';
import { MAX_AMOUNT } from '../../../../../shared/economy/money.ts';
import { ratio } from '../../../../../shared/economy/ratio.ts';
import { expectAceError } from '../../../../helpers/ace-error.ts';
import { testAccount, testGenesis, testSettings } from '../../../../helpers/chain.ts';
import { tempDir } from '../../../../helpers/temp-dir.ts';

const { address } = testAccount(1);
const pinned = testSettings();
const traded = testSettings({
  pinnedXacPerXat: null,
  pinnedXacPerXas: null,
  feedAccount: address,
  treasury: address,
  trafficFee: ratio(1, 3),
});
const genesis = testGenesis(
  [
    [address, 'XAT', '0.0000001'],
    [address, 'XAB', '900000000000'],
  ],
  [['lockedPool', 'XAT', '1000000']],
);
const bytes = encodeGenesis({ settings: traded, genesis });
const fields = dagCbor.decode(bytes) as [string, Record<string, unknown>, unknown[], unknown[]];

describe('a genesis record', () => {
  it.each([
    ['pinned', pinned],
    ['traded', traded],
  ])('gives settings with %s rates and genesis back', (_, settings) => {
    const record = { settings, genesis };
    expect(decodeGenesis(encodeGenesis(record))).toEqual(record);
    const empty = { settings, genesis: { accounts: [], pools: [] } } as const;
    expect(decodeGenesis(encodeGenesis(empty)).genesis.accounts).toEqual([]);
  });

  it('is what a chain writes at height 0', async () => {
    const path = join(tempDir(), 'chain.db');
    await openEmbeddedChain({ path, settings: pinned, genesis, nowMs: () => 1 }).close();
    const store = openChainStore(path, { snapshot: true });
    expect(new Uint8Array(store.log.at(0)?.bytes ?? [])).toEqual(
      encodeGenesis({ settings: pinned, genesis }),
    );
    expect(readGenesis(store)).toEqual({ settings: pinned, genesis });
    store.db.close();
  });

  const withSetting = (change: Record<string, unknown>) =>
    dagCbor.encode([fields[0], { ...fields[1], ...change }, fields[2], fields[3]]);
  const { treasury: _, ...withoutTreasury } = fields[1];
  it.each([
    ['nothing', new Uint8Array()],
    ['cut bytes', bytes.slice(0, -1)],
    ['more behind', new Uint8Array([...bytes, 0])],
    ['another format', dagCbor.encode(['ace-genesis-3', ...fields.slice(1)])],
    ['a part too many', dagCbor.encode([...fields, []])],
    ['settings that are no map', dagCbor.encode([fields[0], [], fields[2], fields[3]])],
    ['a setting that is missing', dagCbor.encode([fields[0], withoutTreasury, fields[2], fields[3]])],
    ['a setting that nobody knows', withSetting({ color: 'red' })],
    ['no network', withSetting({ networkId: '' })],
    ['a fee that is a number', withSetting({ trafficFee: 1 })],
    ['a fee that is not in lowest terms', withSetting({ trafficFee: '2/6' })],
    ['a limit below 0', withSetting({ trafficCreditLimitUnits: -1 })],
    ['part of a unit', withSetting({ trafficCreditLimitUnits: 1.5 })],
    ['a key that is none', withSetting({ validatorKeys: ['12'] })],
    ['a treasury that is no account', withSetting({ treasury: '0x12' })],
    ['an unknown token', dagCbor.encode([fields[0], fields[1], [[address, 'main', 'USD', 1]], []])],
    ['an unknown pool', dagCbor.encode([fields[0], fields[1], [], [['pool', 'XAT', 1]]])],
    ['a negative amount', dagCbor.encode([fields[0], fields[1], [[address, 'main', 'XAT', -1]], []])],
    ['no place', dagCbor.encode([fields[0], fields[1], [[address, 'XAT', 1]], []])],
    ['an unknown place', dagCbor.encode([fields[0], fields[1], [[address, 'pocket', 'XAT', 1]], []])],
    [
      'more than can exist',
      dagCbor.encode([fields[0], fields[1], [[address, 'main', 'XAT', MAX_AMOUNT + 1n]], []]),
    ],
  ])('is refused with %s', (_what, wrong) => {
    expectAceError('DataDirMismatch', () => decodeGenesis(wrong));
  });
});
