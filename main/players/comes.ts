/** With a clock that is wrong nothing may ever come: that is said at once, instead of a head that nothing follows. */

import { pieceCount } from '../../shared/economy/units.ts';
import type { AceError } from '../../shared/errors.ts';
import type { Transfer } from '../transfer/transfer.ts';

/** Why nothing is paid for now, when that is this computer's clock; else `null`. */
export type ClockError = () => AceError | null;

/** Between devices of one account pieces are free, and still come: within this time, as a rule. */
const CLOCK_WAIT_MS = 2_000;

/** @param pieceIndex the one that the answer begins with; left out: the last. @throws AceError `OwnClockWrong` */
export async function checkComes(
  transfer: Transfer,
  clockError: ClockError,
  closed: AbortSignal,
  pieceIndex = pieceCount(transfer.file.sizeBytes) - 1,
): Promise<void> {
  const error = clockError();
  if (!error) return;
  const late = AbortSignal.timeout(CLOCK_WAIT_MS);
  const reader = transfer.addReader(pieceIndex, false);
  try {
    await transfer.piece(pieceIndex, AbortSignal.any([closed, late]));
  } catch (cause) {
    throw late.aborted && !closed.aborted ? error : cause;
  } finally {
    transfer.removeReader(reader);
  }
}
