/**
 * An entry as programs for taxes see it: tokens that came, tokens that went, and tokens that became others. They know no
 * loans and no traffic, so what moved no token is left out; together the movements are the change of the wallet.
 */
import { TOKENS, type Token } from '../economy/money.ts';
import type { JournalEntry } from './entry.ts';
import { type EntryFigures, figuresOf } from './figures.ts';

/** Base units, more than 0. */
export interface MovedAmount {
  readonly amount: bigint;
  readonly token: Token;
}

export interface Movement {
  /** `earned` and `spent`: for a service; `received` and `sent`: between accounts; `traded`: one token for another. */
  readonly kind: 'earned' | 'spent' | 'received' | 'sent' | 'traded';
  readonly sent: MovedAmount | null;
  /** Of what was earned, before the fee. */
  readonly received: MovedAmount | null;
  /** The part of `received` that the network kept. */
  readonly fee: MovedAmount | null;
}

export function movementsOf(entry: JournalEntry): Movement[] {
  const figures = figuresOf(entry);
  switch (entry.kind) {
    case 'settlement':
    case 'repayment':
    case 'access':
    case 'reward':
      return entry.direction === 'in' ? earned(figures) : [...converted(figures), ...spent(figures)];
    case 'mint':
    case 'swap':
      return [traded(figures.wallet)].filter((movement) => movement !== null);
    case 'opening':
    case 'faucet':
    case 'transfer':
      return TOKENS.flatMap((token) => transferred(token, figures.wallet[token]));
    // Between one's own places.
    case 'deposit':
    case 'withdraw':
    case 'link':
    case 'unlink':
    case 'feed':
      return [];
    default:
      return entry.kind satisfies never;
  }
}

const PAID_IN = ['XAC', 'XAS'] as const;

function earned({ paid }: EntryFigures): Movement[] {
  return PAID_IN.flatMap((token) => {
    const { gross, fee } = paid[token];
    const received = moved(gross, token);
    return received ? [{ kind: 'earned' as const, sent: null, received, fee: moved(fee, token) }] : [];
  });
}

function spent({ paid }: EntryFigures): Movement[] {
  return PAID_IN.flatMap((token) => {
    const sent = moved(paid[token].gross, token);
    return sent ? [{ kind: 'spent' as const, sent, received: null, fee: null }] : [];
  });
}

/** XAT burned, and XAC emitted for it: a trade, after which the XAC are spent. */
function converted({ burned, emitted }: EntryFigures): Movement[] {
  const [sent, received] = [moved(burned.XAT, 'XAT'), moved(emitted.XAC, 'XAC')];
  return sent || received ? [{ kind: 'traded', sent, received, fee: null }] : [];
}

function traded(wallet: EntryFigures['wallet']): Movement | null {
  const out = TOKENS.find((token) => wallet[token] < 0n);
  const into = TOKENS.find((token) => wallet[token] > 0n);
  const sent = out ? moved(-wallet[out], out) : null;
  const received = into ? moved(wallet[into], into) : null;
  return sent || received ? { kind: 'traded', sent, received, fee: null } : null;
}

function transferred(token: Token, delta: bigint): Movement[] {
  if (delta === 0n) return [];
  return delta > 0n
    ? [{ kind: 'received', sent: null, received: moved(delta, token), fee: null }]
    : [{ kind: 'sent', sent: moved(-delta, token), received: null, fee: null }];
}

function moved(amount: bigint, token: Token): MovedAmount | null {
  return amount === 0n ? null : { amount, token };
}
