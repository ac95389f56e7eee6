/** Networks of this machine's own: an internet, and homes behind routers that let nobody in who was not asked. */
import { execFileSync } from 'node:child_process';

/** Why there can be none; `null` when there can. */
export function noNamespaces(): string | null {
  if (process.getuid?.() !== 0) return 'needs root';
  try {
    run('ip netns add ace-probe');
    run('ip netns exec ace-probe nft add table ip ace');
    return null;
  } catch {
    return 'needs ip netns and nft';
  } finally {
    quietly('ip netns del ace-probe');
  }
}

export interface Home {
  /** Namespace of the machine in the home. */
  readonly name: string;
  readonly address: string;
  /** Of its router, on the internet. */
  readonly publicAddress: string;
}

export class TestInternet {
  readonly #id = `ace${process.pid}`;
  readonly #names: string[] = [];
  /** Namespace in which 5.5.0.1 is. */
  readonly core: string;
  readonly coreAddress = '5.5.0.1';
  #homes = 0;

  constructor() {
    this.core = this.#add('core');
    this.#in(this.core, 'ip link add br0 type bridge');
    this.#in(this.core, `ip addr add ${this.coreAddress}/16 dev br0`);
    this.#in(this.core, 'ip link set br0 up');
  }

  /** A machine behind a router that translates addresses; `forwardedPort` is let in to it. */
  home(forwardedPort?: number): Home {
    const n = ++this.#homes;
    const [router, name] = [this.#add(`r${n}`), this.#add(`h${n}`)];
    const publicAddress = `5.5.1.${n}`;
    const address = `10.${n}.0.2`;
    this.#wire(this.core, `c${n}`, router, 'wan');
    this.#in(this.core, `ip link set c${n} master br0 up`);
    this.#in(router, `ip addr add ${publicAddress}/16 dev wan`);
    this.#in(router, 'ip link set wan up');
    this.#wire(router, 'lan', name, 'eth0');
    this.#in(router, `ip addr add 10.${n}.0.1/24 dev lan`);
    this.#in(router, 'ip link set lan up');
    this.#in(name, `ip addr add ${address}/24 dev eth0`);
    this.#in(name, 'ip link set eth0 up');
    this.#in(name, `ip route add default via 10.${n}.0.1`);
    this.#in(router, 'sysctl -qw net.ipv4.ip_forward=1');
    const forward =
      forwardedPort === undefined
        ? ''
        : `chain arriving { type nat hook prerouting priority -100; iifname "wan" tcp dport ${forwardedPort} dnat to ${address}; }`;
    const letIn = forwardedPort === undefined ? '' : `ct status dnat accept;`;
    this.#in(
      router,
      'nft -f -',
      `table ip nat {
      ${forward}
      chain leaving { type nat hook postrouting priority 100; oifname "wan" masquerade; }
      chain passing { type filter hook forward priority 0; policy drop; iifname "lan" accept;
        ct state established,related accept; ${letIn} }
    }`,
    );
    return { name, address, publicAddress };
  }

  close(): void {
    for (const name of this.#names.reverse()) quietly(`ip netns del ${name}`);
  }

  #add(name: string): string {
    const full = `${this.#id}-${name}`;
    run(`ip netns add ${full}`);
    this.#names.push(full);
    this.#in(full, 'ip link set lo up');
    return full;
  }

  #wire(from: string, fromName: string, to: string, toName: string): void {
    this.#in(from, `ip link add ${fromName} type veth peer name ${toName} netns ${to}`);
  }

  #in(name: string, command: string, input?: string): void {
    run(`ip netns exec ${name} ${command}`, input);
  }
}

function run(command: string, input = ''): void {
  const [file, ...args] = command.split(' ') as [string, ...string[]];
  execFileSync(file, args, { input, stdio: ['pipe', 'ignore', 'pipe'] });
}

function quietly(command: string): void {
  try {
    run(command);
  } catch {
    // It was not made, or is gone.
  }
}
