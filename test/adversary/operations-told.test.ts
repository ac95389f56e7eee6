/** A home shard that tells another thing of an operation than was signed. Before, all of these were booked, and exported. */
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { pullOperations } from '../../main/account/operation-book.ts';
import { openNodeStore } from '../../main/db/node/store.ts';
import { signOperation } from '../../main/wallet/account.ts';
import { type HoldingDeltas, NO_FUNDS } from '../../shared/economy/holdings.ts';
import { NO_BALANCES, parseAmount, type TokenAmount } from '../../shared/economy/money.ts';
import { encodeSignedOperation, type Operation, type OperationKind } from '../../shared/economy/operation.ts';
import { type Payment, planPayment } from '../../shared/economy/payment.ts';
import { ratio } from '../../shared/economy/ratio.ts';
import { fromHex } from '../../shared/hex.ts';
import { plainPayment } from '../../shared/settlement/batch-result.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { testAccount, testSettings } from '../helpers/chain.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const [ME, FRIEND] = [testAccount(1), testAccount(2)];
const SETTINGS = testSettings();
const ONE = parseAmount('1');
const TWO = parseAmount('2');

const SIGNED = {
  transfer: { to: FRIEND.address, token: 'XAT', amount: ONE, place: 'main' },
  deposit: { token: 'XAT', amount: ONE },
  withdraw: { token: 'XAC', amount: ONE },
  mint: { amountXat: ONE, maxXab: TWO },
  swap: { sell: 'XAT', buy: 'XAC', amount: ONE, minReceived: ONE, deadlineMs: 1 },
  access: { to: FRIEND.address, contentId: 'bafy', priceXac: ONE, premium: false, lastsMs: 0 },
  reward: { to: FRIEND.address, amountXac: ONE, purpose: 'moderation' },
} as const satisfies Partial<Record<OperationKind, object>>;
type Signed = keyof typeof SIGNED;

function operation(kind: Signed, by = ME, change: object = {}): Operation {
  const to = by === ME ? {} : { to: ME.address };
  return { kind, from: by.address, nonce: 0, ...SIGNED[kind], ...to, ...change } as Operation;
}

function deltas(main: object, services: object = {}): HoldingDeltas {
  return { main: { ...NO_BALANCES, ...main }, services: { ...NO_FUNDS, ...services } };
}

/** What a payer with two XAC, two XAT and two XAS pays, 30 % of it a fee. */
function paid(priceXac: TokenAmount, XAC = TWO, fee = ratio(30, 100)): Payment {
  const rates = { xacPerXat: ratio(1), xacPerXas: ratio(1) };
  return planPayment({ XAC, XAT: TWO, XAS: TWO }, priceXac, rates, fee, TWO);
}

function outOf({ xacFromPayer, xatBurned, xasFromPayer }: Payment): HoldingDeltas {
  return deltas({}, { XAC: -xacFromPayer, XAT: -xatBurned, XAS: -xasFromPayer });
}

/** What is booked when the home shard tells this. */
async function told(
  signed: Operation | null,
  moved: HoldingDeltas,
  payment: Payment | null = null,
  faucet = false,
) {
  const store = openNodeStore(join(tempDir(), 'node.db'));
  onTestFinished(() => store.close());
  let bytes: Uint8Array | null = null;
  if (signed) {
    const { signature } = await signOperation(signed.from === ME.address ? ME : FRIEND, SETTINGS, signed);
    bytes = encodeSignedOperation(signed, fromHex(signature.slice(2)));
  }
  const row = { height: signed ? 1 : 0, atMs: 1, operation: bytes, deltas: moved, faucet };
  const answers = [[{ ...row, payment: payment && plainPayment(payment) }], []];
  const line = { call: async () => ({ operations: answers.shift() }) } as never;
  const { networkId, chainId } = SETTINGS;
  await pullOperations({ store, network: { networkId, chainId }, account: ME.address }, line);
  return [...store.operations.all()].length;
}

it.each<[string, Operation | null, HoldingDeltas, (Payment | null)?]>([
  ['a transfer', operation('transfer'), deltas({ XAT: -ONE })],
  ['one that came', operation('transfer', FRIEND), deltas({ XAT: ONE }, { XAT: 0n })],
  ['one to services', operation('transfer', FRIEND, { place: 'services' }), deltas({}, { XAT: ONE })],
  ['a deposit', operation('deposit'), deltas({ XAT: -ONE }, { XAT: ONE })],
  ['a withdrawal', operation('withdraw'), deltas({ XAC: ONE }, { XAC: -ONE })],
  ['a mint', operation('mint'), deltas({ XAT: ONE, XAB: -1n })],
  ['a swap', operation('swap'), deltas({ XAT: -ONE, XAC: TWO })],
  ['access', operation('access'), outOf(paid(ONE)), paid(ONE)],
  [
    'access paid with XAS',
    operation('access', ME, { priceXac: parseAmount('5') }),
    outOf(paid(parseAmount('5'))),
    paid(parseAmount('5')),
  ],
  ['a reward', operation('reward'), outOf(paid(ONE, TWO, ratio(0))), paid(ONE, TWO, ratio(0))],
  ['genesis', null, deltas({ XAT: ONE }, { XAC: ONE })],
])('%s is booked as it was signed', async (_, signed, moved, payment) => {
  expect(await told(signed, moved, payment)).toBe(1);
});

it.each<[string, Operation | null, HoldingDeltas, (Payment | null)?]>([
  ['a transfer out of services', operation('transfer'), deltas({}, { XAT: -ONE })],
  ['a transfer of more', operation('transfer'), deltas({ XAT: -TWO })],
  ['a transfer of another token too', operation('transfer'), deltas({ XAT: -ONE, XAC: -ONE })],
  ['a transfer that moved nothing', operation('transfer'), deltas({})],
  ['one that came to the other place', operation('transfer', FRIEND), deltas({}, { XAT: ONE })],
  [
    'one to services that came to main',
    operation('transfer', FRIEND, { place: 'services' }),
    deltas({ XAT: ONE }),
  ],
  ['one that took where it gave', operation('transfer', FRIEND), deltas({ XAT: -ONE })],
  ['a deposit as a withdrawal', operation('deposit'), deltas({ XAT: ONE }, { XAT: -ONE })],
  ['a deposit of more', operation('deposit'), deltas({ XAT: -TWO }, { XAT: TWO })],
  ['a withdrawal as a deposit', operation('withdraw'), deltas({ XAC: -ONE }, { XAC: ONE })],
  ['a withdrawal that moved nothing', operation('withdraw'), deltas({})],
  ['a mint of less', operation('mint'), deltas({ XAT: ONE - 1n, XAB: -1n })],
  ['a mint that cost more than was allowed', operation('mint'), deltas({ XAT: ONE, XAB: -TWO - 1n })],
  ['a mint that gave XAB', operation('mint'), deltas({ XAT: ONE, XAB: 1n })],
  ['a swap that got less than was asked for', operation('swap'), deltas({ XAT: -ONE, XAC: ONE - 1n })],
  ['a swap that sold more', operation('swap'), deltas({ XAT: -TWO, XAC: TWO })],
  ['a swap in services', operation('swap'), deltas({}, { XAT: -ONE, XAC: TWO })],
  ['access at another price', operation('access'), outOf(paid(TWO)), paid(TWO)],
  ['access for less', operation('access'), outOf(paid(1n as TokenAmount)), paid(1n as TokenAmount)],
  [
    'access for five times as much',
    operation('access'),
    outOf(paid(parseAmount('5'))),
    paid(parseAmount('5')),
  ],
  ['a reward with a fee', operation('reward'), outOf(paid(ONE)), paid(ONE)],
  ['genesis that took', null, deltas({ XAT: -ONE })],
])('%s is not booked at all', async (_, signed, moved, payment) => {
  await expectAceRejection('MessageMalformed', told(signed, moved, payment));
});

it('only a transfer that came is booked as a gift of the faucet', async () => {
  const came = operation('transfer', FRIEND);
  expect(await told(came, deltas({ XAT: ONE }), null, true)).toBe(1);
  const reward = operation('reward', FRIEND);
  const payment = paid(ONE, TWO, ratio(0));
  expect(await told(reward, deltas({}, { XAC: ONE }), payment)).toBe(1);
  for (const [signed, moved, pays] of [
    [reward, deltas({}, { XAC: ONE }), payment],
    [operation('transfer'), deltas({ XAT: -ONE }), null],
    [operation('swap'), deltas({ XAT: -ONE, XAC: TWO }), null],
    [null, deltas({ XAT: ONE }), null],
  ] as const) {
    await expectAceRejection('MessageMalformed', told(signed, moved, pays, true));
  }
});
