import { Key } from 'interface-datastore';
import { describe, expect, it } from 'vitest';
import { type PresentPeers, type RecordLimits, RecordStore } from '../../../../main/p2p/record-store.ts';

const LIMITS: RecordLimits = {
  ...{ maxPeers: 3, maxPeerBytes: 8, maxPeersBytes: 16 },
  ...{ maxProvidersOfContent: 4, maxContentsOfProvider: 2, maxRecords: 6, dropped: 1, told: 3 },
};
const provider = (content: string, peer: string) => new Key(`/dht/provider/${content}/${peer}`);
const value = new Uint8Array([1]);

async function names(store: RecordStore, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.query({ prefix })) found.push(key.toString());
  return found;
}

describe('record store', () => {
  it('answers a query with the records of that content alone', async () => {
    const store = new RecordStore(undefined, LIMITS);
    store.put(provider('a', 'p'), value);
    store.put(provider('b', 'q'), value);
    expect(await names(store, '/dht/provider/a')).toEqual(['/dht/provider/a/p']);
    expect(await names(store, '/dht/provider/c')).toEqual([]);
    expect(await names(store, '/dht/provider')).toHaveLength(2);
    expect(store.get(provider('a', 'p'))).toEqual(value);
  });

  it('keeps so many providers of a content, the newest among them', () => {
    const store = new RecordStore(undefined, LIMITS);
    for (let i = 0; i < 50; i++) {
      store.put(provider('a', `p${i}`), value);
      expect(store.has(provider('a', `p${i}`))).toBe(true);
    }
    expect(store.records).toBe(4);
  });

  it('keeps so many contents of a provider, and still renews those', () => {
    const store = new RecordStore(undefined, LIMITS);
    for (const content of ['a', 'b', 'c']) store.put(provider(content, 'p'), value);
    expect(store.has(provider('b', 'p'))).toBe(true);
    expect(store.has(provider('c', 'p'))).toBe(false);
    store.put(provider('a', 'p'), new Uint8Array([2]));
    expect(store.get(provider('a', 'p'))).toEqual(new Uint8Array([2]));
    store.delete(provider('b', 'p'));
    store.put(provider('c', 'p'), value);
    expect(store.has(provider('c', 'p'))).toBe(true);
  });

  it('makes room in all at the cost of who takes most of it, record by record', () => {
    const store = new RecordStore(undefined, LIMITS);
    store.put(provider('a', 'small'), value);
    for (const peer of ['x', 'y'])
      for (const content of ['b', 'c']) store.put(provider(content, peer), value);
    store.put(provider('d', 'other'), value);
    expect(store.records).toBe(6);
    store.put(provider('d', 'another'), value);
    expect(store.records).toBe(6);
    for (const peer of ['small', 'other', 'another'])
      expect(store.has(provider(peer === 'small' ? 'a' : 'd', peer))).toBe(true);
    const left = ['x', 'y'].map((peer) => ['b', 'c'].filter((content) => store.has(provider(content, peer))));
    expect(left.flat()).toHaveLength(3);
  });

  it('still counts a provider that loses all that it had to its own next record', () => {
    const store = new RecordStore(undefined, { ...LIMITS, dropped: 6 });
    for (const [i, peer] of ['p', 'q', 'r', 's', 't', 'u'].entries())
      store.put(provider(`a${i}`, peer), value);
    const contents = ['b', 'c', 'd'];
    for (const content of contents) store.put(provider(content, 'p'), value);
    expect(contents.filter((content) => store.has(provider(content, 'p')))).toEqual(['b', 'c']);
  });

  describe('where the networks of providers are known', () => {
    /** Those whose name begins with a letter come from the network of that letter. */
    const present: PresentPeers = { networkOf: (peerId) => peerId.slice(0, 1), isPresent: () => false };

    it('a crowd of one network pushes out itself before a large library from elsewhere', () => {
      const limits = { ...LIMITS, maxRecords: 100, maxContentsOfProvider: 40, dropped: 5 };
      const store = new RecordStore(present, limits);
      const mine = Array.from({ length: 40 }, (_, i) => provider(`film-${i}`, 'honest'));
      for (const key of mine) store.put(key, value);
      for (let i = 0; i < 500; i++)
        for (const content of ['a', 'b']) store.put(provider(`${content}${i}`, `s-${i}`), value);
      expect(mine.every((key) => store.has(key))).toBe(true);
      expect(store.records).toBeLessThanOrEqual(100);
      expect(store.records).toBeGreaterThan(90);
    });

    it('a crowd hides nobody of a content: it loses its own, and one of each network is named first', async () => {
      const store = new RecordStore(present, LIMITS);
      store.put(provider('a', 'honest'), value);
      for (let i = 0; i < 100; i++) store.put(provider('a', `s-${i}`), value);
      expect(store.has(provider('a', 'honest'))).toBe(true);
      expect(store.records).toBe(4);
      const told = await names(store, '/dht/provider/a');
      expect(told).toHaveLength(3);
      expect(told.slice(0, 2)).toContain('/dht/provider/a/honest');
    });
  });

  it('keeps no peer of whom too much is told, forgets the oldest for what is told of all, and nobody who is present', () => {
    const store = new RecordStore({ networkOf: () => null, isPresent: (cid) => cid === 'here' }, LIMITS);
    const put = (peer: string, sizeBytes: number) =>
      store.put(new Key(`/peers/${peer}`), new Uint8Array(sizeBytes));
    const has = (peer: string) => store.has(new Key(`/peers/${peer}`));
    put('here', 8);
    put('here', 9);
    expect(store.get(new Key('/peers/here'))).toHaveLength(8);
    put('a', 8);
    put('b', 8);
    expect(['here', 'a', 'b'].map(has)).toEqual([true, false, true]);
    for (let i = 0; i < 10; i++) put(`c${i}`, 1);
    expect(has('here')).toBe(true);
  });

  it('forgets the peers that were heard of longest ago', () => {
    const store = new RecordStore(undefined, LIMITS);
    for (const peer of ['p', 'q', 'r', 'p', 's']) store.put(new Key(`/peers/${peer}`), value);
    expect(['p', 'q', 'r', 's'].filter((peer) => store.has(new Key(`/peers/${peer}`)))).toEqual([
      'p',
      'r',
      's',
    ]);
  });

  it('says that a key is not there', () => {
    expect(() => new RecordStore().get(new Key('/peers/p'))).toThrow();
  });
});
