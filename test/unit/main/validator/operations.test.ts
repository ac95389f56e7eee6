import { describe, expect, it, onTestFinished } from 'vitest';
import { settle } from '../../../../main/validator/batching.ts';
import { MAX_WALK_UNITS } from '../../../../main/validator/claim-check.ts';
import { accountOperations, submitOperation } from '../../../../main/validator/operations.ts';
import { operationTypedData } from '../../../../main/wallet/typed-data.ts';
import { parseAmount } from '../../../../shared/economy/money.ts';
import { encodeSignedOperation, type Operation } from '../../../../shared/economy/operation.ts';
import { expectAceRejection } from '../../../helpers/ace-error.ts';
import { type Party, party, TestShard } from '../../../helpers/shard.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const [PAYER, PAYEE] = [party(1), party(2)];
/** 1 GB costs 0.01 XAC; there is no credit here, so that only funds count. */
const FUNDS = [
  [PAYER.account.address, 'XAT', '0.2'],
  [PAYER.account.address, 'XAT', '1', 'main'],
  [PAYER.account.address, 'XAB', '1'],
] as const;

function shardWith(trafficCreditLimitUnits = 0): TestShard {
  const shard = new TestShard(tempDir(), { trafficCreditLimitUnits }, FUNDS);
  onTestFinished(() => shard.close());
  return shard;
}

async function submit(shard: TestShard, signer: Party, fields: object) {
  const { nonce } = await shard.chain.account(signer.account.address);
  const operation = { from: signer.account.address, nonce, ...fields } as Operation;
  const signature = await signer.account.signTypedData(operationTypedData(shard.settings, operation));
  const bytes = encodeSignedOperation(operation, Buffer.from(signature.slice(2), 'hex'));
  return submitOperation(shard.context, bytes);
}

const withdrawal = (amount: string) => ({ kind: 'withdraw', token: 'XAT', amount: parseAmount(amount) });
const transfer = (amount: string, token = 'XAT') => ({
  kind: 'transfer',
  place: 'main',
  to: PAYEE.account.address,
  token,
  amount: parseAmount(amount),
});
const access = (priceXac: string) => ({
  kind: 'access',
  lastsMs: 0,
  to: PAYEE.account.address,
  contentId: 'bafy',
  priceXac: parseAmount(priceXac),
  premium: false,
});

describe('an operation at the shard', () => {
  it('reaches the chain, and says whose account it changed', async () => {
    const shard = shardWith();
    const { receipt, accounts } = await submit(shard, PAYER, transfer('0.05'));
    expect(receipt.height).toBe(1);
    expect(accounts.toSorted()).toEqual([PAYER.account.address, PAYEE.account.address].sort());
  });

  it.each([
    // 10,240 units are 0.1 XAC, and no more than 0.100352 when each is paid alone.
    ['a withdrawal', withdrawal('0.0996481'), withdrawal('0.099648')],
    ['a purchase', access('0.0996481'), access('0.099648')],
  ])('leaves funds behind open channels alone: %s', async (_, tooMuch, allowed) => {
    const shard = shardWith();
    await shard.lease(PAYER, PAYEE, 10_240);
    await expectAceRejection('FundsReserved', submit(shard, PAYER, tooMuch));
    expect((await shard.chain.account(PAYER.account.address)).services.XAT).toBe(parseAmount('0.2'));
    await submit(shard, PAYER, allowed);
  });

  it('pays a claim in full that comes after a withdrawal and a purchase in the moment between it and its lease', async () => {
    const shard = shardWith();
    const leased = await shard.lease(PAYER, PAYEE, 10_240);
    await expectAceRejection('FundsReserved', submit(shard, PAYER, withdrawal('0.2')));
    await submit(shard, PAYER, withdrawal('0.09'));
    await expectAceRejection('FundsReserved', submit(shard, PAYER, access('0.0097')));
    // No further in one claim than a shard walks for it.
    for (let units = 0; units < 10_240; ) {
      units = Math.min(10_240, units + MAX_WALK_UNITS);
      shard.claim(leased, units);
    }
    await settle(shard.context);
    const payee = await shard.chain.account(PAYEE.account.address);
    // 0.1 XAC less the fee of a tenth: every unit was paid, none is owed.
    expect(payee.services.XAC).toBe(parseAmount('0.09'));
    expect((await shard.chain.account(PAYER.account.address)).creditUsedUnits).toBe(0);
  });

  // It was: who had been served on the word that funds pay was owed then. A purchase from one's own second account moved
  // them all the same, for its fee.
  it('takes no credit for funds behind open channels that are withdrawn, or spent on access', async () => {
    const shard = shardWith(10_240);
    await shard.lease(PAYER, PAYEE, 10_240);
    await expectAceRejection('FundsReserved', submit(shard, PAYER, withdrawal('0.2')));
    await submit(shard, PAYER, withdrawal('0.099'));
    await expectAceRejection('FundsReserved', submit(shard, PAYER, access('0.1')));
    await submit(shard, PAYER, access('0.0006'));
  });

  it('moves what is kept freely', async () => {
    const shard = shardWith();
    await shard.lease(PAYER, PAYEE, 10_240);
    await submit(shard, PAYER, transfer('1', 'XAB'));
    await submit(shard, PAYER, transfer('0.5'));
    await submit(shard, PAYER, { ...withdrawal('0.5'), kind: 'deposit' });
    await expectAceRejection('InsufficientFunds', submit(shard, PAYER, transfer('0.1')));
  });

  it('of a faucet that is the treasury, too, is a gift only where it is a transfer', async () => {
    const [faucet, account] = [PAYER.account.address, PAYEE.account.address];
    const shard = new TestShard(tempDir(), { treasury: faucet }, FUNDS);
    onTestFinished(() => shard.close());
    await submit(shard, PAYER, transfer('0.05'));
    const amountXac = parseAmount('0.01');
    await submit(shard, PAYER, { kind: 'reward', to: account, amountXac, purpose: 'moderation' });
    const told = await accountOperations(shard.chain, faucet, account, 0);
    expect(told.map((row) => row.faucet)).toEqual([true, false]);
  });

  it('is refused when it is not canonical bytes of a signed operation', async () => {
    const shard = shardWith();
    await expectAceRejection('MessageMalformed', submitOperation(shard.context, new Uint8Array([1, 2, 3])));
    await expectAceRejection('MessageMalformed', submitOperation(shard.context, new Uint8Array([0x80])));
  });
});

describe('a device that its account has unlinked', () => {
  it('gets no lease until it is linked again', async () => {
    const shard = shardWith(100);
    const device = Buffer.from(PAYER.device.publicKey).toString('hex');
    await shard.lease(PAYER, PAYEE, 1);
    await submit(shard, PAYER, { kind: 'unlink', device });
    await expectAceRejection('LeaseRefused', shard.lease(PAYER, PAYEE, 1));
    await submit(shard, PAYER, { kind: 'link', device });
    await shard.lease(PAYER, PAYEE, 1);
  });
});
