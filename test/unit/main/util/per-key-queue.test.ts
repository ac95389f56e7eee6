import { describe, expect, it } from 'vitest';
import { Turns } from '../../../../main/util/per-key-queue.ts';
import { serializer } from '../../../../main/util/serialize.ts';

describe('turns', () => {
  it('have a peer stand once in a queue that all share', async () => {
    const [turns, alone] = [new Turns(), serializer()];
    const done: string[] = [];
    const ask = (peer: string) => turns.take(peer, () => alone(async () => done.push(peer)));
    await Promise.all([...Array.from({ length: 5 }, () => ask('many')), ask('one'), ask('other')]);
    expect(done.slice(0, 3)).toEqual(['many', 'one', 'other']);
    expect(done).toHaveLength(7);
  });

  it('go on after a task that failed, and forget a peer that has none', async () => {
    const turns = new Turns();
    const failed = turns.take('a', () => Promise.reject(new Error('no')));
    const next = turns.take('a', async () => 'yes');
    await expect(failed).rejects.toThrow('no');
    expect(await next).toBe('yes');
    await Promise.resolve();
    expect(turns.size).toBe(0);
  });
});
