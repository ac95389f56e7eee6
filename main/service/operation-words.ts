/** What an operation is refused with, in words for the user. */
import { AceError, type ErrorCode } from '../../shared/errors.ts';

/** An error crosses the wire as its code and figures; here it gets the words for the user who signed the operation. */
export function inOperationWords(error: unknown): unknown {
  if (!(error instanceof AceError)) return error;
  const { owedUnits, reservedUnits } = error.details;
  const words: Partial<Record<ErrorCode, string>> = {
    InsufficientFunds: 'The funds do not reach for this any more: ask for a new quote',
    WrongNonce:
      'Another operation of this account was booked meanwhile: nothing was done, look at what you have and try again',
    SlippageExceeded: 'The price has moved further than allowed: nothing was done, ask for a new quote',
    DeadlinePassed: 'It came too late: nothing was done, ask for a new quote',
    NoMarket: 'The exchange has no reserves of this pair',
    NotAllowed: 'The network does not let this account do that',
    FundsReserved:
      owedUnits === undefined
        ? `${reservedUnits} MiB of open channels are paid from what lies in services: stop what plays, or leave more there`
        : `${owedUnits} MiB are owed: what lies in services repays them first`,
  };
  const text = words[error.code];
  return text === undefined
    ? error
    : new AceError(error.code, text, { cause: error, details: error.details });
}

/** The faucet's refusals. */
export function inFaucetWords(error: unknown): unknown {
  if (!(error instanceof AceError)) return error;
  const { mostXat, mostXatPerDay, leftXat } = error.details;
  const words: Partial<Record<ErrorCode, string>> = {
    InsufficientFunds: 'The faucet does not have that much: ask for less',
    InvalidAmount: `The faucet gives at most ${mostXat} at once: ask for less`,
    TooManyRequests: `The faucet gives an account ${mostXatPerDay} a day, ${leftXat} are left today`,
  };
  const text = words[error.code];
  return text === undefined
    ? error
    : new AceError(error.code, text, { cause: error, details: error.details });
}
