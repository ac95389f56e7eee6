/** What the parts of the compliance suite share: the chain under test, its accounts, a transfer to vary. */
import { expect, onTestFinished } from 'vitest';
import type { MainChain } from '../../main/chain/port.ts';
import { parseAmount } from '../../shared/economy/money.ts';
import type { TransferOperation } from '../../shared/economy/operation.ts';
import type { Genesis, NetworkSettings } from '../../shared/economy/settings.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { snapshot, testAccount, testAddress, testGenesis, testSettings } from '../helpers/chain.ts';
import { tempDir } from '../helpers/temp-dir.ts';

export type ChainFactory = (
  dir: string,
  settings: NetworkSettings,
  genesis: Genesis,
  nowMs?: () => number,
) => MainChain | Promise<MainChain>;

export interface ChainUnderTest {
  /** Name of the implementation, for the titles. */
  readonly name: string;
  readonly create: ChainFactory;
  /** Opens a chain that is closed when the test ends. */
  open(dir?: string, settings?: NetworkSettings, genesis?: Genesis, nowMs?: () => number): Promise<MainChain>;
}

export const RICH = testAccount(1);
export const PEER = testAccount(2);
export const POOR = testAddress(7);
export const GENESIS = testGenesis([
  [RICH.address, 'XAT', '10', 'main'],
  [RICH.address, 'XAT', '10', 'services'],
]);

export const TRANSFER: TransferOperation = {
  kind: 'transfer',
  place: 'main',
  from: RICH.address,
  to: PEER.address,
  token: 'XAT',
  amount: parseAmount('4'),
  nonce: 0,
};

export function chainUnderTest(name: string, create: ChainFactory): ChainUnderTest {
  return {
    name,
    create,
    open: async (dir = tempDir(), settings = testSettings(), genesis = GENESIS, nowMs) => {
      const chain = await create(dir, settings, genesis, nowMs);
      onTestFinished(() => chain.close());
      return chain;
    },
  };
}

/** Expects `act` to be refused by this name, and everything the chain can be asked to be as before. */
export async function expectUnchanged(
  chain: MainChain,
  code: ErrorCode,
  act: () => Promise<unknown>,
): Promise<void> {
  const before = await snapshot(chain);
  await expectAceRejection(code, act());
  expect(await snapshot(chain)).toEqual(before);
}
