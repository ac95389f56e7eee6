/** What is wrong with a phrase, a passphrase, or a backup, in words about what was typed. */

import { parseAmount } from '../../shared/economy/money.ts';
import { AceError } from '../../shared/errors.ts';
import { m } from '../../shared/i18n/compiled/messages.js';
import type { OperationQuoteView } from '../../shared/rpc/wallet.ts';
import { fullAmount } from './amount.ts';
import { errorWords } from './error-words.ts';

/** What moves, each with all its decimals: "0.5000000 XAT". */
export function movedText(parts: OperationQuoteView['gives'] | OperationQuoteView['gets']): string {
  return parts
    .map(({ token, amount }) => m.amount_token({ amount: fullAmount(parseAmount(amount)), token }))
    .join(m.list_and());
}

/** Why a node does not run that has its wallet: the heading of the page that says so. */
export function waitingWords(locked: boolean, failureCode: string | null): string {
  if (locked) return m.first_unlock();
  return failureCode === 'ShardUnavailable' ? m.first_unreachable() : m.first_not_started();
}

export function walletTrouble(error: unknown): string {
  if (error instanceof AceError && error.code === 'WalletLocked') return m.first_error_pass();
  if (error instanceof AceError && error.code === 'InvalidCertificate') return m.first_error_certificate();
  if (error instanceof AceError && error.code === 'WalletInvalid') {
    const { reason, position } = error.details;
    if (reason === 'word-count') return m.first_error_words();
    if (reason === 'unknown-word') return m.first_error_unknown({ position: Number(position) });
    if (reason === 'checksum') return m.first_error_checksum();
    if (reason === 'confirm') return m.first_error_confirm();
    if (reason === 'no-draft') return m.first_error_draft();
    if (reason === 'passphrase-short') return m.first_pass_short();
    if (reason === 'damaged') return m.first_error_damaged();
    if (reason === 'other-account') return m.first_error_other_account();
    if (reason === 'owner-unknown') return m.first_error_owner_unknown();
    if (reason === 'newer-version') return m.first_error_newer();
  }
  const { what, next } = errorWords(error);
  return `${what} ${next}`;
}
