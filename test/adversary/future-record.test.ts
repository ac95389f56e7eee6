/**
 * A chain with a record that a wrong clock dated 400 days ahead. Its time never goes back, so swaps wait for that day: once
 * nobody was told why, and the swap of somebody in time was called late.
 */
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openValidatorStore } from '../../main/db/validator/store.ts';
import { createLog } from '../../main/process/log.ts';
import { runDevnetValidator } from '../../main/validator/devnet.ts';
import { submitOperation } from '../../main/validator/operations.ts';
import { accountFromPhrase, signOperation } from '../../main/wallet/account.ts';
import { openWallet } from '../../main/wallet/keystore.ts';
import { parseAmount } from '../../shared/economy/money.ts';
import { encodeSignedOperation, type SwapOperation } from '../../shared/economy/operation.ts';
import { fromHex } from '../../shared/hex.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const AHEAD_MS = 400 * 86_400_000;

it('is named with what to do, and swaps are refused for the clock and not for being late', async () => {
  const dataDir = tempDir();
  const wrong = { wallMs: () => Date.now() + AHEAD_MS, uptimeMs: () => performance.now() };
  await (await runDevnetValidator({ dataDir, port: 0, clocks: wrong })).stop();

  const log = createLog(null);
  const said: string[] = [];
  log.error = (_details: unknown, text?: string) => void said.push(text ?? '');
  const running = await runDevnetValidator({ dataDir, port: 0, log });
  onTestFinished(() => running.stop());
  const [first] = said.filter((text) => text.includes('the last record'));
  expect(first).toContain(join(dataDir, 'chain.db'));
  expect(first).toContain('400 days ahead');
  expect(first).toContain('restore chain.db and validator.db together');

  const { phrase } = await openWallet(join(dataDir, 'wallet.json'), { protection: 'none', devnet: true });
  const account = accountFromPhrase(phrase ?? '');
  const swap: SwapOperation = {
    ...{ kind: 'swap', from: account.address, sell: 'XAT', buy: 'XAC', nonce: 0 },
    ...{ amount: parseAmount('1'), minReceived: parseAmount('0'), deadlineMs: Date.now() + 60_000 },
  };
  const { signature } = await signOperation(account, running.settings, swap);
  const store = openValidatorStore(join(tempDir(), 'validator.db'));
  onTestFinished(() => store.close());
  // As when the clock has stood for long enough to be believed.
  const context = { chain: running.chain, store, shard: 0, nowMs: () => Date.now() };
  const bytes = encodeSignedOperation(swap, fromHex(signature.slice(2)));
  await expectAceRejection('ClockWrong', submitOperation(context, bytes));
});
