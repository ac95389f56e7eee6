import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Operation } from '../../../../renderer/state/operation.svelte.ts';
import { AceError } from '../../../../shared/errors.ts';
import type { OperationQuoteView, OperationResultView } from '../../../../shared/rpc/wallet.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

const quoteUntil = (expiresAtMs: number) => ({ expiresAtMs }) as OperationQuoteView;
const result = { height: 7 } as OperationResultView;

function anOperation() {
  const looks: PromiseWithResolvers<OperationQuoteView>[] = [];
  const acts: PromiseWithResolvers<OperationResultView>[] = [];
  const acted: OperationQuoteView[] = [];
  const operation = new Operation({
    look: () => {
      looks.push(Promise.withResolvers());
      return looks.at(-1)?.promise ?? Promise.reject();
    },
    act: (quote) => {
      acted.push(quote);
      acts.push(Promise.withResolvers());
      return acts.at(-1)?.promise ?? Promise.reject();
    },
  });
  return { operation, looks, acts, acted };
}

/** With a quote on the screen that holds for ten seconds. */
async function quoted() {
  const parts = anOperation();
  const looked = parts.operation.look();
  parts.looks[0]?.resolve(quoteUntil(10_000));
  await looked;
  return parts;
}

describe('Operation', () => {
  it('shows what it would do, and does that', async () => {
    const { operation, looks, acts, acted } = anOperation();
    const looked = operation.look();
    expect(operation.busy).toBe('looking');
    looks[0]?.resolve(quoteUntil(10_000));
    await looked;
    const { quote } = operation;
    const done = operation.act();
    expect(operation.busy).toBe('acting');
    acts[0]?.resolve(result);
    expect(await done).toBe(true);
    expect(acted).toEqual([quote]);
    expect(operation).toMatchObject({ busy: null, quote: null, result, failure: null });
  });

  it('does nothing without a quote, nor twice', async () => {
    const { operation, acts, acted } = await quoted();
    const done = operation.act();
    expect(await operation.act()).toBe(false);
    acts[0]?.resolve(result);
    await done;
    expect(await operation.act()).toBe(false);
    expect(acted).toHaveLength(1);
  });

  it('takes no quote for a form that was changed meanwhile', async () => {
    const { operation, looks } = anOperation();
    const looked = operation.look();
    operation.changed();
    looks[0]?.resolve(quoteUntil(10_000));
    await looked;
    expect(operation).toMatchObject({ busy: null, quote: null });
  });

  it('drops a quote that ran out, and says so', async () => {
    const { operation } = await quoted();
    vi.advanceTimersByTime(9_999);
    expect(operation.expired).toBe(false);
    vi.advanceTimersByTime(1);
    expect(operation).toMatchObject({ quote: null, expired: true });
  });

  it('says that what was done too late has run out', async () => {
    const { operation, acts } = await quoted();
    const done = operation.act();
    acts[0]?.reject(new AceError('DeadlinePassed', ''));
    expect(await done).toBe(false);
    expect(operation).toMatchObject({ quote: null, expired: true, locked: false });
  });

  it('keeps the quote while the wallet is locked, and acts on it once it is open', async () => {
    const { operation, acts, acted } = await quoted();
    const { quote } = operation;
    const refused = operation.act();
    acts[0]?.reject(new AceError('WalletLocked', ''));
    await refused;
    expect(operation).toMatchObject({ locked: true, quote });
    const done = operation.act();
    acts[1]?.resolve(result);
    expect(await done).toBe(true);
    expect(acted).toEqual([quote, quote]);
    expect(operation).toMatchObject({ locked: false, result });
  });

  it('names the field that the node refused, until the form is changed', async () => {
    const { operation, looks } = anOperation();
    const looked = operation.look();
    looks[0]?.reject(new AceError('InvalidInput', '', { details: { field: 'to', reason: 'form' } }));
    await looked;
    expect(operation.wrongField).toBe('to');
    expect(operation.failure).not.toBeNull();
    operation.changed();
    expect(operation).toMatchObject({ wrongField: null, failure: null });
  });

  it('shows what was done although the form was changed while it was being done', async () => {
    const { operation, acts } = await quoted();
    const done = operation.act();
    operation.changed();
    expect(operation).toMatchObject({ quote: null, busy: 'acting' });
    acts[0]?.resolve(result);
    expect(await done).toBe(true);
    expect(operation).toMatchObject({ busy: null, result });
  });

  it('leaves no timer once it is stopped', async () => {
    const { operation } = await quoted();
    operation.stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});
