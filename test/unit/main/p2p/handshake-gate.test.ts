import type { MultiaddrConnection } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { describe, expect, it } from 'vitest';
import { HandshakeGate } from '../../../../main/p2p/handshake-gate.ts';
import { MAX_HANDSHAKES_PER_ADDRESS, MAX_HANDSHAKES_PER_NETWORK_GROUP } from '../../../../main/p2p/limits.ts';

const from = (ip: string) =>
  Object.assign(new EventTarget(), {
    remoteAddr: multiaddr(`/ip4/${ip}/tcp/1`),
  }) as unknown as MultiaddrConnection;

describe('handshakes under way', () => {
  it('are so many from one address, and one more when one has ended or closed', () => {
    const gate = new HandshakeGate();
    const begun = Array.from({ length: MAX_HANDSHAKES_PER_ADDRESS }, () => from('203.0.113.7'));
    expect(begun.map((one) => gate.refuses(one))).not.toContain(true);
    expect(gate.refuses(from('203.0.113.7'))).toBe(true);
    expect(gate.refuses(from('203.0.113.8'))).toBe(false);
    const [first, second] = begun;
    if (!first || !second) throw new Error('none has begun');
    gate.ended(first);
    gate.ended(first);
    expect(gate.refuses(from('203.0.113.7'))).toBe(false);
    expect(gate.refuses(from('203.0.113.7'))).toBe(true);
    second.dispatchEvent(new Event('close'));
    expect(gate.refuses(from('203.0.113.7'))).toBe(false);
  });

  it('are so many from one network group', () => {
    const gate = new HandshakeGate();
    for (let i = 0; i < MAX_HANDSHAKES_PER_NETWORK_GROUP; i++) {
      expect(gate.refuses(from(`203.0.113.${i}`))).toBe(false);
    }
    expect(gate.refuses(from('203.0.113.200'))).toBe(true);
    expect(gate.refuses(from('203.0.114.1'))).toBe(false);
  });
});
