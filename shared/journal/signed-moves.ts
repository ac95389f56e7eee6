/**
 * Whether what a home shard tells of an operation is what its signer signed: token, amount and place as far as the signature
 * says them. The rest, such as what a swap got beyond its least, is the shard's word.
 */
import { type HoldingDeltas, NO_FUNDS, type Place, SERVICES_TOKENS } from '../economy/holdings.ts';
import { NO_BALANCES, TOKENS, type Token } from '../economy/money.ts';
import type { Operation } from '../economy/operation.ts';
import type { Payment } from '../economy/payment.ts';

/** What a place gained of a token, base units: from the least to the most that was signed. */
interface SignedMove {
  readonly place: Place;
  readonly token: Token;
  readonly least: bigint;
  readonly most: bigint;
}

interface ToldOperation {
  readonly operation: Operation | null;
  readonly deltas: HoldingDeltas;
  readonly payment: Payment | null;
  readonly faucet: boolean;
}

/**
 * What contradicts the signature, for people; `null` when nothing does. `account` is one of the operation's parties, lower
 * case; an operation of `null` is genesis.
 */
export function contradictsSigned(
  account: string,
  { operation, deltas, payment, faucet }: ToldOperation,
): string | null {
  // Its entry would be named, and exported, as something else than was signed.
  if (faucet && (operation?.kind !== 'transfer' || operation.from === account)) return 'no faucet gave it';
  if (operation === null) return isGain(deltas) ? null : 'genesis took something';
  if (operation.kind === 'access' || operation.kind === 'reward') {
    const price = operation.kind === 'access' ? operation.priceXac : operation.amountXac;
    if (!payment || !isPriced(payment, price)) return 'it was paid at another price than was signed';
    const isFree = payment.feeXac === 0n && payment.feeXas === 0n;
    return operation.kind === 'access' || isFree ? null : 'a reward has no fee';
  }
  return isWithin(deltas, signedMoves(account, operation)) ? null : 'it moved something else than was signed';
}

/** Payments aside: those are held against their own parts. */
function signedMoves(
  account: string,
  operation: Exclude<Operation, { readonly kind: 'access' | 'reward' }>,
): readonly SignedMove[] {
  switch (operation.kind) {
    case 'transfer': {
      const { from, token, amount, place } = operation;
      return from === account ? [exactly('main', token, -amount)] : [exactly(place, token, amount)];
    }
    case 'deposit':
    case 'withdraw': {
      const { kind, token, amount } = operation;
      const out = kind === 'deposit' ? amount : -amount;
      return [exactly('main', token, -out), exactly('services', token, out)];
    }
    case 'mint': {
      const { amountXat, maxXab } = operation;
      return [exactly('main', 'XAT', amountXat), { place: 'main', token: 'XAB', least: -maxXab, most: 0n }];
    }
    case 'swap': {
      const { sell, buy, amount, minReceived } = operation;
      const most = 2n ** 63n;
      return [exactly('main', sell, -amount), { place: 'main', token: buy, least: minReceived, most }];
    }
    case 'link':
    case 'unlink':
    case 'feed':
      return [];
    default:
      return operation satisfies never;
  }
}

function exactly(place: Place, token: Token, gained: bigint): SignedMove {
  return { place, token, least: gained, most: gained };
}

/** Each move as it was signed, and nothing besides. */
function isWithin(deltas: HoldingDeltas, moves: readonly SignedMove[]): boolean {
  const left: Record<Place, Partial<Record<Token, bigint>>> = {
    main: { ...NO_BALANCES, ...deltas.main },
    services: { ...NO_FUNDS, ...deltas.services },
  };
  for (const { place, token, least, most } of moves) {
    const gained = left[place][token] ?? 0n;
    if (gained < least || gained > most) return false;
    left[place][token] = 0n;
  }
  return [...Object.values(left.main), ...Object.values(left.services)].every((gained) => gained === 0n);
}

function isGain({ main, services }: HoldingDeltas): boolean {
  return (
    TOKENS.every((token) => main[token] >= 0n) && SERVICES_TOKENS.every((token) => services[token] >= 0n)
  );
}

/** XAC and what was emitted reach the price, or XAS pays what they lack: what that is worth the signature does not say. */
function isPriced({ xacFromPayer, xacEmitted, xasFromPayer }: Payment, priceXac: bigint): boolean {
  const inXac = xacFromPayer + xacEmitted;
  return xasFromPayer === 0n ? inXac === priceXac : inXac < priceXac;
}
