import { describe, expect, it } from 'vitest';
import { PerKeyQueue } from '../../../../main/util/per-key-queue.ts';
import { serializer } from '../../../../main/util/serialize.ts';

describe('queue', () => {
  it('have a peer stand once in a queue that all share', async () => {
    const [queue, alone] = [new PerKeyQueue(), serializer()];
    const done: string[] = [];
    const ask = (peer: string) => queue.run(peer, () => alone(async () => done.push(peer)));
    await Promise.all([...Array.from({ length: 5 }, () => ask('many')), ask('one'), ask('other')]);
    expect(done.slice(0, 3)).toEqual(['many', 'one', 'other']);
    expect(done).toHaveLength(7);
  });

  it('go on after a task that failed, and forget a peer that has none', async () => {
    const queue = new PerKeyQueue();
    const failed = queue.run('a', () => Promise.reject(new Error('no')));
    const next = queue.run('a', async () => 'yes');
    await expect(failed).rejects.toThrow('no');
    expect(await next).toBe('yes');
    await Promise.resolve();
    expect(queue.size).toBe(0);
  });
});
