/**
 * Errors in plain words: what happened, what it means for money, what to do. The stable code decides, never the node's own
 * text, which is English. The words are looked up when they are
 * read, so that what is on the screen follows the language.
 */
import { AceError, type ErrorCode } from '../../shared/errors.ts';
import { m } from '../../shared/i18n/compiled/messages.js';
import type { TransferReason } from '../../shared/rpc/content.ts';
import { withToken } from './amount.ts';
import { inputWords } from './input-words.ts';
import { formatDecimal } from './locale.ts';
import { formatDateTime } from './time.ts';

export interface ErrorWords {
  readonly what: string;
  /** What it means for money, and what to do. */
  readonly next: string;
}

/** A peer that is left for it: what exactly it got wrong helps its programmers only, and is in the log. */
const RULES = words(m.error_rules, m.error_rules_next);
const CHANNEL = words(m.error_channel, m.error_channel_next);
const SETTLING = words(m.error_settling, m.error_settling_next);
const BOOKS = words(m.error_books, m.error_books_next);
const INPUT = words(m.error_input, m.error_input_next);
const INTERNAL = words(m.error_internal, m.error_internal_next);

/** Every code has words, in both languages: a new one does not compile without. */
const WORDS: Readonly<Record<ErrorCode, ErrorWords>> = {
  CreditExhausted: words(m.error_credit_exhausted, m.error_credit_exhausted_next),
  LeaseRefused: words(m.error_lease_refused, m.error_lease_refused_next),
  DeviceDisputed: words(m.error_device_disputed, m.error_device_disputed_next),
  NoProviders: words(m.error_no_providers, m.error_no_providers_next),
  ContentUnknown: words(m.error_content_unknown, m.error_content_unknown_next),
  BroadcastUnknown: words(m.error_broadcast_unknown, m.error_broadcast_unknown_next),
  BroadcastEnded: words(m.error_broadcast_ended, m.error_broadcast_ended_next),
  ContentIsLive: words(m.error_content_is_live, m.error_content_is_live_next),
  InvalidContentId: words(m.error_invalid_content_id, m.error_invalid_content_id_next),
  ShardUnavailable: words(m.error_shard_unavailable, m.error_shard_unavailable_next),
  ClockWrong: words(m.error_clock_wrong, m.error_clock_wrong_next),
  OwnClockWrong: words(m.error_own_clock_wrong, m.error_own_clock_wrong_next),
  PeerUnreachable: words(m.error_peer_unreachable, m.error_peer_unreachable_next),
  PieceCorrupt: words(m.error_piece_corrupt, m.error_piece_corrupt_next),
  PaymentOverdue: words(m.error_payment_overdue, m.error_payment_overdue_next),
  PrepaymentDue: words(m.error_prepayment_due, m.error_prepayment_due_next),
  AccessNeeded: words(m.error_access_needed, m.error_access_needed_next),
  AccessExpired: words(m.error_access_expired, m.error_access_expired_next),
  AccessInvalid: words(m.error_access_invalid, m.error_access_invalid_next),
  AccessBought: words(m.error_access_bought, m.error_access_bought_next),
  LoanRefused: words(m.error_loan_refused, m.error_loan_refused_next),
  ProviderStopped: words(m.error_provider_stopped, m.error_provider_stopped_next),
  StoreFailed: words(m.error_store_failed, m.error_store_failed_next),
  FileMissing: words(m.error_file_missing, m.error_file_missing_next),
  FileUnreadable: words(m.error_file_unreadable, m.error_file_unreadable_next),
  ContentNotPlayable: words(m.error_not_playable, m.error_not_playable_next),
  ContentEmpty: words(m.error_content_empty, m.error_content_empty_next),
  ContentInUse: words(m.error_content_in_use, m.error_content_in_use_next),
  ContentChanged: words(m.error_content_changed, m.error_content_changed_next),
  CacheFull: words(m.error_cache_full, m.error_cache_full_next),
  TrafficStopped: words(m.error_traffic_stopped, m.error_traffic_stopped_next),
  WalletMissing: words(m.error_wallet_missing, m.error_wallet_missing_next),
  WalletLocked: words(m.error_wallet_locked, m.error_wallet_locked_next),
  InsufficientFunds: words(m.error_insufficient_funds, m.error_insufficient_funds_next),
  FundsReserved: words(m.error_funds_reserved, m.error_funds_reserved_next),
  SlippageExceeded: words(m.error_slippage, m.error_slippage_next),
  DeadlinePassed: words(m.error_deadline, m.error_deadline_next),
  InvalidAmount: words(m.error_amount, m.error_amount_next),
  NoMarket: words(m.error_no_market, m.error_no_market_next),
  DataDirNotWritable: words(m.error_data_dir_not_writable, m.error_data_dir_not_writable_next),
  ContentTooLarge: words(m.error_content_too_large, m.error_content_too_large_next),
  TooManyRequests: words(m.error_too_many_requests, m.error_too_many_requests_next),
  RequestTimeout: words(m.error_request_timeout, m.error_request_timeout_next),
  PeerClosed: words(m.error_peer_closed, m.error_peer_closed_next),
  WrongNetwork: words(m.error_wrong_network, m.error_wrong_network_next),
  KeyStoreLocked: words(m.error_key_store_locked, m.error_key_store_locked_next),
  NodeNotRunning: words(m.error_node_not_running, m.error_node_not_running_next),
  InvalidInput: INPUT,
  InvalidSignature: words(m.error_signature, m.error_signature_next),
  InvalidCertificate: words(m.error_certificate, m.error_certificate_next),
  InvariantViolated: BOOKS,
  ChainDiverged: BOOKS,
  WrongNonce: words(m.error_wrong_nonce, m.error_wrong_nonce_next),
  NotAllowed: words(m.error_not_allowed, m.error_not_allowed_next),
  WrongShard: words(m.error_wrong_shard, m.error_wrong_shard_next),
  BatchOutOfOrder: SETTLING,
  BatchWrongPreviousHash: SETTLING,
  BatchWrongShard: SETTLING,
  BatchWrongSigner: SETTLING,
  BatchMalformed: SETTLING,
  BatchConflict: SETTLING,
  ChannelUnknown: CHANNEL,
  ChannelUnleased: CHANNEL,
  ChannelExpired: CHANNEL,
  ChannelClosed: CHANNEL,
  ChannelExhausted: CHANNEL,
  ChannelMismatch: CHANNEL,
  ChannelStateWrong: CHANNEL,
  TickNotIncreasing: RULES,
  TickBeyondWindow: RULES,
  TickBeyondCapacity: RULES,
  TickWrong: RULES,
  CheckpointNotIncreasing: RULES,
  CheckpointMismatch: RULES,
  ClaimInvalid: RULES,
  ProofInvalid: RULES,
  TransportFileInvalid: RULES,
  RecordInvalid: RULES,
  RecordContradicts: RULES,
  MessageMalformed: RULES,
  MessageTooLarge: RULES,
  MessageUnexpected: RULES,
  PieceUnknown: words(m.error_piece_unknown, m.error_piece_unknown_next),
  SegmentUnknown: words(m.error_piece_unknown, m.error_piece_unknown_next),
  SessionUnknown: words(m.error_session_unknown, m.error_session_unknown_next),
  PlaylistMalformed: words(m.error_playlist, m.error_playlist_next),
  ProviderBusy: words(m.error_provider_busy, m.error_provider_busy_next),
  Withdrawn: words(m.error_withdrawn, m.error_withdrawn_next),
  ShardDiverged: words(m.error_shard_diverged, m.error_shard_diverged_next),
  DataDirInUse: words(m.error_data_dir_in_use, m.error_data_dir_in_use_next),
  DataDirMismatch: words(m.error_data_dir_mismatch, m.error_data_dir_mismatch_next),
  SchemaTooNew: words(m.error_too_new, m.error_too_new_next),
  SchemaTooOld: words(m.error_too_old, m.error_too_old_next),
  MigrationFailed: words(m.error_migration, m.error_migration_next),
  PortInUse: words(m.error_port_in_use, m.error_port_in_use_next),
  WalletInvalid: words(m.error_wallet_invalid, m.error_wallet_invalid_next),
  NotOnThisNetwork: words(m.error_not_on_network, m.error_not_on_network_next),
  NotInThisShell: words(m.error_not_in_shell, m.error_not_in_shell_next),
  Internal: INTERNAL,
};

/** What was asked for did not begin, so nothing waits for a peer to appear: it is up to the person to ask again. */
const NOT_STARTED: Partial<Readonly<Record<ErrorCode, ErrorWords>>> = {
  NoProviders: words(m.error_no_providers_start, m.error_no_providers_start_next),
  ProviderStopped: words(m.error_provider_stopped, m.error_provider_stopped_start_next),
};

const TOO_SMALL = words(m.error_too_small, m.error_too_small_next);

/** A page that was open while the node was updated may meet a code that it does not know. */
export function codeWords(code: ErrorCode): ErrorWords {
  return Object.hasOwn(WORDS, code) ? WORDS[code] : INTERNAL;
}

/** Why a transfer waits, and until when where that is known. */
export function reasonWords({ code, untilMs }: TransferReason): ErrorWords {
  if (code === 'ProviderStopped' && untilMs !== undefined)
    return stoppedWords(untilMs, m.error_provider_stopped_next);
  return codeWords(code);
}

function stoppedWords(untilMs: number, next: () => string): ErrorWords {
  return words(() => m.error_provider_stopped_until({ time: formatDateTime(untilMs) }), next);
}

export function errorWords(error: unknown): ErrorWords {
  if (error instanceof AceError) {
    const { code, details } = error;
    if (code === 'InvalidInput' && details.field === 'contentId') return WORDS.InvalidContentId;
    if (code === 'InvalidInput') return words(() => inputWords(details), m.error_input_next);
    if (code === 'SlippageExceeded' && details.reason === 'too-small') return TOO_SMALL;
    return codeWords(error.code);
  }
  return INTERNAL;
}

/** The faucet's refusals are about what it has and gives, not about this account's funds. */
export function faucetWords(error: unknown): ErrorWords {
  if (error instanceof AceError) {
    const { mostXat, mostXatPerDay, leftXat } = error.details;
    const [most, mostPerDay, left] = [mostXat, mostXatPerDay, leftXat].map(shownXat);
    if (error.code === 'InvalidAmount' && most)
      return words(() => m.error_faucet_most({ most: most() }), m.error_faucet_next);
    if (error.code === 'TooManyRequests' && mostPerDay && left)
      return words(() => m.error_faucet_day({ most: mostPerDay(), left: left() }), m.error_faucet_next);
    if (error.code === 'InsufficientFunds') return words(m.error_faucet_empty, m.error_faucet_next);
  }
  return errorWords(error);
}

/** Words for a title that could not be started at all; one that is under way goes on by itself. */
export function startWords(error: unknown): ErrorWords {
  if (!(error instanceof AceError)) return errorWords(error);
  const { untilMs } = error.details;
  if (error.code === 'ProviderStopped' && typeof untilMs === 'number')
    return stoppedWords(untilMs, m.error_provider_stopped_start_next_until);
  return NOT_STARTED[error.code] ?? errorWords(error);
}

/** An amount in a shard's answer, for the language of the moment; `null` for anything else. */
function shownXat(amount: string | number | undefined): (() => string) | null {
  const decimal = String(amount).replace(/\.0+$/, '');
  return /^\d{1,15}(\.\d{1,7})?$/.test(decimal) ? () => withToken(formatDecimal(decimal), 'XAT') : null;
}

function words(what: () => string, next: () => string): ErrorWords {
  return {
    get what() {
      return what();
    },
    get next() {
      return next();
    },
  };
}
