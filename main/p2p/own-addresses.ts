/**
 * An address of the internet on an interface of this machine is where this host is. libp2p holds it back until several
 * others have dialed it, which in a small network never happens; where a firewall is in the way, AutoNAT takes it back.
 */
import type { Libp2pEvents, Listener, TypedEventTarget } from '@libp2p/interface';
import type { AddressManager } from '@libp2p/interface-internal';
import { isRelayed } from './advertised-addresses.ts';
import { ipOf, rangeOf } from './ip-ranges.ts';

interface Components {
  readonly addressManager: AddressManager;
  readonly events: TypedEventTarget<Libp2pEvents>;
}

/** A service of libp2p: it confirms each address as a transport begins to listen there. */
export function ownAddresses({ addressManager, events }: Components): object {
  const confirm = ({ detail }: CustomEvent<Listener>) => {
    for (const address of detail.getAddrs()) {
      const ip = ipOf(address);
      if (ip === null || isRelayed(address) || rangeOf(ip) !== 'public') continue;
      addressManager.confirmObservedAddr(address, { type: 'transport' });
    }
  };
  events.addEventListener('transport:listening', confirm);
  return {};
}
