/** What a player is told before its answer begins, when nobody has what it asked for. */
import { describe, expect, it } from 'vitest';
import { type AwaitedTransfer, checkComes } from '../../../../main/players/comes.ts';
import type { Reader } from '../../../../main/transfer/transfer.ts';
import { AceError, type ErrorCode } from '../../../../shared/errors.ts';
import { expectAceRejection } from '../../../helpers/ace-error.ts';

/** A transfer of which the test says what happens to it. */
class ToldTransfer implements AwaitedTransfer {
  readonly file = { sizeBytes: 1 };
  readonly complete = false;
  providers: { state: 'connected' | 'connecting' | 'gone' }[] = [];
  readers = 0;
  readonly #looks = new Set<(trouble: AceError | null) => void>();
  readonly #arrived = Promise.withResolvers<void>();

  addReader(): Reader {
    this.readers += 1;
    return {} as Reader;
  }

  removeReader(): void {
    this.readers -= 1;
  }

  piece(_: number, signal: AbortSignal): Promise<void> {
    return Promise.race([
      this.#arrived.promise,
      new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    ]);
  }

  nextTrouble(until: AbortSignal): Promise<AceError | null> {
    return new Promise((resolve) => {
      if (until.aborted) return resolve(null);
      this.#looks.add(resolve);
      until.addEventListener('abort', () => resolve(null), { once: true });
    });
  }

  /** Once somebody looks, as the real one says it again and again. */
  async says(code: ErrorCode): Promise<void> {
    while (this.#looks.size === 0) await Promise.resolve();
    for (const look of this.#looks) look(new AceError(code, code));
    this.#looks.clear();
  }

  arrives(): void {
    this.#arrived.resolve();
  }
}

const asks = (transfer: ToldTransfer, nobodyWaitMs?: number, closed = new AbortController().signal) =>
  checkComes(transfer, { clockError: () => null, closed, watches: true, waits: false, nobodyWaitMs });
/** No test waits for as long. */
const LONG_MS = 3_600_000;

describe('what nobody has', () => {
  it('is refused by name when nobody comes back in time, and wanted no more', async () => {
    const transfer = new ToldTransfer();
    const refused = expectAceRejection('NoProviders', asks(transfer, 1));
    await transfer.says('NoProviders');
    await refused;
    expect(transfer.readers).toBe(0);
  });

  it('is waited for, and comes when a provider that was started again has it', async () => {
    const transfer = new ToldTransfer();
    const answered = asks(transfer, LONG_MS);
    for (let look = 0; look < 3; look++) await transfer.says('NoProviders');
    transfer.arrives();
    (await answered).release();
    expect(transfer.readers).toBe(0);
  });

  it('is waited for behind the head once something else is the matter', async () => {
    const transfer = new ToldTransfer();
    const answered = asks(transfer, LONG_MS);
    await transfer.says('NoProviders');
    await transfer.says('CreditExhausted');
    await answered;
    expect(transfer.readers).toBe(1);
  });

  it('is refused at once when the one who comes back has stopped sharing it', async () => {
    const transfer = new ToldTransfer();
    const refused = expectAceRejection('ProviderStopped', asks(transfer, LONG_MS));
    await transfer.says('NoProviders');
    await transfer.says('ProviderStopped');
    await refused;
  });

  it('is not refused while a provider is being connected', async () => {
    const transfer = new ToldTransfer();
    const answered = asks(transfer, 1);
    transfer.providers = [{ state: 'connecting' }];
    await answered;
    expect(transfer.readers).toBe(1);
  });

  it('ends with the player that goes away', async () => {
    const transfer = new ToldTransfer();
    const closed = new AbortController();
    const answered = asks(transfer, LONG_MS, closed.signal);
    await transfer.says('NoProviders');
    closed.abort(new Error('gone'));
    await expect(answered).rejects.toThrow('gone');
    expect(transfer.readers).toBe(0);
  });
});
