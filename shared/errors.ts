/**
 * Errors that people and peers can act on.
 *
 * Every failure that crosses a module border is an `AceError` with a stable `code`; the text may change, the code
 * may not. A protocol error also names the reaction it demands, so the caller never decides by message text.
 */

/** What the receiver of a bad message does about its sender. */
export type Reaction =
  /** Forget the message; the peer may have been unlucky or late. */
  | 'ignore'
  /** Close the stream and do not use this peer for this content again. */
  | 'drop-peer'
  /** Stop sending or paying on this channel until the cause is gone; state is kept. */
  | 'pause-channel'
  /** Nothing can be trusted any more: stop the service loudly. */
  | 'stop';

export type ErrorCode =
  // input
  | 'InvalidAmount'
  | 'InvalidInput'
  | 'InvalidContentId'
  | 'InvalidSignature'
  | 'InvalidCertificate'
  // money
  | 'InsufficientFunds'
  | 'InvariantViolated'
  | 'WrongNonce'
  | 'NotAllowed'
  | 'FundsReserved'
  | 'NoMarket'
  | 'SlippageExceeded'
  | 'DeadlinePassed'
  | 'ChainDiverged'
  | 'WrongNetwork'
  | 'WrongShard'
  // batches
  | 'BatchOutOfOrder'
  | 'BatchWrongPreviousHash'
  | 'BatchWrongShard'
  | 'BatchWrongSigner'
  | 'BatchMalformed'
  | 'BatchConflict'
  // channels
  | 'ChannelUnknown'
  | 'ChannelUnleased'
  | 'ChannelExpired'
  | 'ChannelClosed'
  | 'ChannelExhausted'
  | 'ChannelMismatch'
  | 'ChannelStateWrong'
  | 'TickNotIncreasing'
  | 'TickBeyondWindow'
  | 'TickBeyondCapacity'
  | 'TickWrong'
  | 'CheckpointNotIncreasing'
  | 'CheckpointMismatch'
  | 'CreditExhausted'
  | 'PaymentOverdue'
  | 'PrepaymentDue'
  | 'LoanRefused'
  | 'ClaimInvalid'
  | 'LeaseRefused'
  | 'DeviceDisputed'
  | 'ProofInvalid'
  // access
  | 'AccessNeeded'
  | 'AccessInvalid'
  | 'AccessExpired'
  | 'AccessBought'
  // content
  | 'ContentUnknown'
  | 'ContentEmpty'
  | 'ContentTooLarge'
  | 'ContentNotPlayable'
  | 'ContentChanged'
  | 'ContentInUse'
  | 'CacheFull'
  | 'PieceCorrupt'
  | 'PieceUnknown'
  | 'TransportFileInvalid'
  | 'NoProviders'
  | 'SessionUnknown'
  | 'FileMissing'
  | 'FileUnreadable'
  // live
  | 'ContentIsLive'
  | 'BroadcastUnknown'
  | 'BroadcastEnded'
  | 'RecordInvalid'
  | 'RecordContradicts'
  | 'SegmentUnknown'
  | 'PlaylistMalformed'
  // protocol
  | 'MessageMalformed'
  | 'MessageTooLarge'
  | 'MessageUnexpected'
  | 'PeerClosed'
  | 'PeerUnreachable'
  | 'RequestTimeout'
  | 'TooManyRequests'
  | 'ProviderBusy'
  | 'ProviderStopped'
  | 'TrafficStopped'
  | 'Withdrawn'
  | 'ShardUnavailable'
  | 'ShardDiverged'
  | 'ClockWrong'
  | 'OwnClockWrong'
  // process
  | 'DataDirInUse'
  | 'DataDirNotWritable'
  | 'DataDirMismatch'
  | 'SchemaTooNew'
  | 'SchemaTooOld'
  | 'MigrationFailed'
  | 'StoreFailed'
  | 'KeyStoreLocked'
  | 'PortInUse'
  | 'WalletLocked'
  | 'WalletInvalid'
  | 'WalletMissing'
  | 'NodeNotRunning'
  | 'NotOnThisNetwork'
  | 'NotInThisShell'
  | 'Internal';

export interface AceErrorOptions {
  reaction?: Reaction;
  cause?: unknown;
  /** Figures for the message in another language, and for tests. */
  details?: Readonly<Record<string, string | number>>;
}

export class AceError extends Error {
  override readonly name = 'AceError';
  readonly code: ErrorCode;
  readonly reaction: Reaction;
  readonly details: Readonly<Record<string, string | number>>;

  constructor(code: ErrorCode, message: string, options: AceErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.reaction = options.reaction ?? 'ignore';
    this.details = options.details ?? {};
  }
}

export function isAceError(error: unknown, code?: ErrorCode): error is AceError {
  return error instanceof AceError && (code === undefined || error.code === code);
}

const STOPS_ALL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'StoreFailed',
  'DataDirNotWritable',
  'NodeNotRunning',
  'PeerClosed',
  'WalletLocked',
]);

/** Whether what failed with one of many would fail with each of the others as well. */
export function stopsAll(error: unknown): boolean {
  return isAceError(error) && STOPS_ALL.has(error.code);
}

/**
 * Checks a rule that the code relies on. It stays on in production: money that does not add up stops the operation.
 * @throws AceError `InvariantViolated`
 */
export function invariant(holds: boolean, rule: string): asserts holds {
  if (!holds) throw new AceError('InvariantViolated', `Invariant violated: ${rule}`, { reaction: 'stop' });
}
