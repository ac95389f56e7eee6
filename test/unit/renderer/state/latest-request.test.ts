import { toStore } from 'svelte/store';
import { describe, expect, it } from 'vitest';
import { LatestRequest } from '../../../../renderer/state/latest-request.svelte.ts';
import { AceError } from '../../../../shared/errors.ts';

/** A question that the test answers, one asking after the other. */
function question() {
  const open: PromiseWithResolvers<string>[] = [];
  const request = new LatestRequest((_what: string) => {
    const asking = Promise.withResolvers<string>();
    open.push(asking);
    return asking.promise;
  });
  return { request, open };
}

describe('LatestRequest', () => {
  it('is busy until it has the answer, and returns it', async () => {
    const { request, open } = question();
    const loaded = request.load('a');
    expect(request).toMatchObject({ busy: true, data: null, error: null });
    open[0]?.resolve('A');
    expect(await loaded).toBe('A');
    expect(request).toMatchObject({ busy: false, data: 'A', error: null });
  });

  it('takes only the answer to the latest asking, whichever comes first', async () => {
    const { request, open } = question();
    const loads = [request.load('a'), request.load('b')];
    open[1]?.resolve('B');
    await loads[1];
    open[0]?.resolve('A');
    expect(await loads[0]).toBeNull();
    expect(request).toMatchObject({ busy: false, data: 'B' });
  });

  it('takes no failure of an earlier asking, and stays busy with the later one', async () => {
    const { request, open } = question();
    const first = request.load('a');
    void request.load('b');
    open[0]?.reject(new AceError('Internal', ''));
    expect(await first).toBeNull();
    expect(request).toMatchObject({ busy: true, error: null });
  });

  it('keeps the answer when asking again fails, and has the code and words of the failure', async () => {
    const { request, open } = question();
    const first = request.load('a');
    open[0]?.resolve('A');
    await first;
    const second = request.load('a');
    open[1]?.reject(new AceError('WalletLocked', ''));
    expect(await second).toBeNull();
    expect(request).toMatchObject({ busy: false, data: 'A', code: 'WalletLocked' });
    expect(request.error?.what).not.toBe('');
  });

  it('puts a failure away when it loads, and keeps it on the screen when it refreshes', async () => {
    const { request, open } = question();
    const failed = request.load('a');
    open[0]?.reject(new AceError('Internal', ''));
    await failed;
    void request.refresh('a');
    expect(request.error).not.toBeNull();
    void request.load('a');
    expect(request.error).toBeNull();
  });

  it('forgets everything on reset, and what is still open', async () => {
    const { request, open } = question();
    request.set('known');
    const loaded = request.load('a');
    request.reset();
    expect(request).toMatchObject({ busy: false, data: null, error: null });
    open[0]?.resolve('A');
    expect(await loaded).toBeNull();
    expect(request.data).toBeNull();
  });

  it('updates what reads it', async () => {
    const { request, open } = question();
    const seen: (string | null)[] = [];
    const unsubscribe = toStore(() => request.data).subscribe((data) => seen.push(data));
    const loaded = request.load('a');
    open[0]?.resolve('A');
    await loaded;
    await Promise.resolve();
    request.set('B');
    await Promise.resolve();
    unsubscribe();
    expect(seen).toEqual([null, 'A', 'B']);
  });
});
