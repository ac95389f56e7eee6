/** Bounds how many handshakes one address and one network group have under way: who begins them and ends none holds a few. */
import type { MultiaddrConnection } from '@libp2p/interface';
import { MAX_HANDSHAKES_PER_ADDRESS, MAX_HANDSHAKES_PER_NETWORK_GROUP } from './limits.ts';
import { originOf } from './network-group.ts';

export class HandshakeGate {
  /** Of addresses and of groups, which never look alike. */
  readonly #underWay = new Map<string, number>();
  readonly #waiting = new WeakSet<MultiaddrConnection>();

  /** Whether another one would be too many; counts it otherwise, until `ended` or its end. */
  refuses(connection: MultiaddrConnection): boolean {
    const { address, group } = originOf(connection.remoteAddr);
    const full =
      this.#count(address) >= MAX_HANDSHAKES_PER_ADDRESS ||
      this.#count(group) >= MAX_HANDSHAKES_PER_NETWORK_GROUP;
    if (full) return true;
    for (const name of [address, group]) this.#underWay.set(name, this.#count(name) + 1);
    this.#waiting.add(connection);
    connection.addEventListener('close', () => this.ended(connection), { once: true });
    return false;
  }

  /** The handshake is done. */
  ended(connection: MultiaddrConnection): void {
    if (!this.#waiting.delete(connection)) return;
    const { address, group } = originOf(connection.remoteAddr);
    for (const name of [address, group]) {
      const left = this.#count(name) - 1;
      if (left > 0) this.#underWay.set(name, left);
      else this.#underWay.delete(name);
    }
  }

  #count(name: string): number {
    return this.#underWay.get(name) ?? 0;
  }
}
