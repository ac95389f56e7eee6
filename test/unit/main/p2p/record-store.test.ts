import { Key } from 'interface-datastore';
import { describe, expect, it } from 'vitest';
import { RecordStore } from '../../../../main/p2p/record-store.ts';

const LIMITS = { maxPeers: 3, maxProvidersOfContent: 4, maxContentsOfProvider: 2, maxRecords: 6 };
const provider = (content: string, peer: string) => new Key(`/dht/provider/${content}/${peer}`);
const value = new Uint8Array([1]);

async function names(store: RecordStore, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.query({ prefix })) found.push(key.toString());
  return found;
}

describe('record store', () => {
  it('answers a query with the records of that content alone', async () => {
    const store = new RecordStore(LIMITS);
    store.put(provider('a', 'p'), value);
    store.put(provider('b', 'q'), value);
    expect(await names(store, '/dht/provider/a')).toEqual(['/dht/provider/a/p']);
    expect(await names(store, '/dht/provider/c')).toEqual([]);
    expect(await names(store, '/dht/provider')).toHaveLength(2);
    expect(store.get(provider('a', 'p'))).toEqual(value);
  });

  it('keeps so many providers of a content, the newest among them', () => {
    const store = new RecordStore(LIMITS);
    for (let i = 0; i < 50; i++) {
      store.put(provider('a', `p${i}`), value);
      expect(store.has(provider('a', `p${i}`))).toBe(true);
    }
    expect(store.records).toBe(4);
  });

  it('keeps so many contents of a provider, and still renews those', () => {
    const store = new RecordStore(LIMITS);
    for (const content of ['a', 'b', 'c']) store.put(provider(content, 'p'), value);
    expect(store.has(provider('b', 'p'))).toBe(true);
    expect(store.has(provider('c', 'p'))).toBe(false);
    store.put(provider('a', 'p'), new Uint8Array([2]));
    expect(store.get(provider('a', 'p'))).toEqual(new Uint8Array([2]));
    store.delete(provider('b', 'p'));
    store.put(provider('c', 'p'), value);
    expect(store.has(provider('c', 'p'))).toBe(true);
  });

  it('makes room in all at the cost of who takes most of it', () => {
    const store = new RecordStore(LIMITS);
    store.put(provider('a', 'small'), value);
    for (const peer of ['x', 'y'])
      for (const content of ['b', 'c']) store.put(provider(content, peer), value);
    store.put(provider('d', 'other'), value);
    expect(store.records).toBe(6);
    store.put(provider('d', 'another'), value);
    expect(store.records).toBe(5);
    expect(store.has(provider('a', 'small'))).toBe(true);
    expect(store.has(provider('d', 'another'))).toBe(true);
  });

  it('forgets the peers that were heard of longest ago', () => {
    const store = new RecordStore(LIMITS);
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
