import { describe, expect, it } from 'vitest';
import type { Provider } from '../../../../main/content/provider.ts';
import { firstAnswer } from '../../../../main/transfer/first-answer.ts';

const provider = (peerId: string): Provider => ({ peerId, account: '0x', addresses: [] });
const silent = () => new Promise<string>(() => undefined);

function asking(ask: (peerId: string) => Promise<string>, names: string[], found: string[] = []) {
  return firstAnswer({
    providers: names.map(provider),
    ask: ({ peerId }) => ask(peerId),
    more: async () => found.map(provider),
    isFinal: (error) => error === 'final',
  });
}

describe('the first answer', () => {
  it('comes from the first provider where that one answers, and nobody else is asked', async () => {
    const asked: string[] = [];
    const ask = async (peerId: string) => {
      asked.push(peerId);
      return peerId;
    };
    expect((await asking(ask, ['a', 'b']))?.answer).toBe('a');
    expect(asked).toEqual(['a']);
  });

  it('is not waited for where nobody is: the next one is asked meanwhile', async () => {
    const ask = (peerId: string) => (peerId === 'b' ? Promise.resolve('yes') : silent());
    expect((await asking(ask, ['a', 'b']))?.provider.peerId).toBe('b');
  });

  it('comes from one that was found later, before the rest of a crowd that came first', async () => {
    const ask = (peerId: string) => (peerId === 'late' ? Promise.resolve('yes') : silent());
    const crowd = Array.from({ length: 64 }, (_, i) => `fake-${i}`);
    expect((await asking(ask, crowd, ['late']))?.answer).toBe('yes');
  });

  it('is the last error where all have failed, and null where there is nobody', async () => {
    await expect(asking((peerId) => Promise.reject(peerId), ['a', 'b'])).rejects.toBe('b');
    expect(await asking(silent, [])).toBeNull();
  });

  it('is an error that ends it all', async () => {
    const ask = (peerId: string) => (peerId === 'b' ? Promise.reject('final') : silent());
    await expect(asking(ask, ['a', 'b'])).rejects.toBe('final');
  });
});
