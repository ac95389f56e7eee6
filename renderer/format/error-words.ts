/**
 * Errors in plain words: what happened, what it means for money, what to do. The node's own text is shown only where
 * it is about what the person just typed; for the rest the stable code decides.
 */
import { AceError, type ErrorCode } from '../../shared/errors.ts';

export interface ErrorWords {
  readonly what: string;
  /** What it means for money, and what to do. */
  readonly next: string;
}

const WORDS: Partial<Readonly<Record<ErrorCode, ErrorWords>>> = {
  CreditExhausted: {
    what: 'Your credit is used up, so peers have paused sending.',
    next: 'Nothing is lost. Playback goes on by itself as soon as part of it is repaid.',
  },
  LeaseRefused: {
    what: 'The network does not reserve more traffic for you now.',
    next: 'Nothing was charged. Top up, or wait until what is under way has been settled.',
  },
  DeviceDisputed: {
    what: 'The network reserves no more traffic for this device.',
    next: 'It signed two records that contradict each other. What it paid stays paid. Use another device of your account.',
  },
  NoProviders: {
    what: 'No peer that has this title is online.',
    next: 'Nothing was charged. It starts by itself when one appears.',
  },
  ContentUnknown: {
    what: 'No peer knows this content id.',
    next: 'Nothing was charged. Check the link, or try again when more peers are connected.',
  },
  BroadcastUnknown: {
    what: 'This broadcast is not known here any more.',
    next: 'Nothing was charged. Paste its link again, or ask who broadcasts it.',
  },
  BroadcastEnded: {
    what: 'This broadcast has ended.',
    next: 'Nothing more is charged. What was sent last can be watched for a while.',
  },
  ContentIsLive: {
    what: 'This is a live broadcast.',
    next: 'Nothing was charged. It can be watched, not saved as a whole.',
  },
  InvalidContentId: {
    what: 'That is not a content id.',
    next: 'Paste a link that begins with ace: or the id itself, letters and digits from b to 7.',
  },
  ShardUnavailable: {
    what: 'The network’s validator cannot be reached.',
    next: 'Nothing is lost: what you paid and earned is kept here and settled when it is back.',
  },
  PeerUnreachable: {
    what: 'The peer cannot be reached.',
    next: 'Only what arrived was paid. Another peer is looked for.',
  },
  PieceCorrupt: {
    what: 'A peer sent something that is not this title.',
    next: 'It was not paid and is not used again for this title.',
  },
  PaymentOverdue: {
    what: 'The peer waits for a payment.',
    next: 'It is made as soon as the peer confirms the last one. At most one MiB is at stake.',
  },
  StoreFailed: {
    what: 'The node cannot write to its data folder.',
    next: 'Payments are paused so that nothing is lost. Free some disk space, or check the folder.',
  },
  FileMissing: { what: 'There is no such file on this machine.', next: 'Check the path and try again.' },
  FileUnreadable: { what: 'The file cannot be read.', next: 'Check its permissions and try again.' },
  ContentEmpty: { what: 'The file is empty.', next: 'There is nothing in it to share.' },
  NodeNotRunning: {
    what: 'The node does not answer.',
    next: 'Nothing is lost. This page connects again by itself.',
  },
  Internal: {
    what: 'Something went wrong inside the node.',
    next: 'Your balances are as last shown. Try again; the node’s log says more.',
  },
};

/** What was asked for did not begin, so nothing waits for a peer to appear: it is up to the person to ask again. */
const NOT_STARTED: Partial<Readonly<Record<ErrorCode, ErrorWords>>> = {
  NoProviders: {
    what: 'No peer that has this title is online.',
    next: 'Nothing was charged. Check the link, or play it again later.',
  },
};

/** Codes whose message is about the person's own input. */
const ABOUT_INPUT: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['InvalidInput', 'InvalidAmount']);

export function codeWords(code: ErrorCode, message: string): ErrorWords {
  const words = WORDS[code];
  if (words) return words;
  if (ABOUT_INPUT.has(code)) return { what: withoutField(message), next: 'Nothing was changed.' };
  return { what: message, next: `Nothing was charged for it. (${code})` };
}

export function errorWords(error: unknown): ErrorWords {
  if (error instanceof AceError) return codeWords(error.code, error.message);
  return codeWords('Internal', '');
}

/** Words for a title that could not be started at all; one that is under way goes on by itself. */
export function startWords(error: unknown): ErrorWords {
  return (error instanceof AceError && NOT_STARTED[error.code]) || errorWords(error);
}

/** "amountXat: not an amount" is for programs; a person sees which field it is. */
function withoutField(message: string): string {
  const text = message.replace(/^[a-z][\w.]*: /i, '');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
