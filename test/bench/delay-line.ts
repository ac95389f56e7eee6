/**
 * A far network on one machine: every connection that this process makes goes through a process that hands on each byte
 * half a round trip later, either way, however many are under way. Imported by a bench's roles; `ACE_BENCH_DELAY_PORT`
 * switches it on. As a script of its own it is that other process: `delay-line.ts ROUND_TRIP_MS` says its port.
 */
import net, { type Socket } from 'node:net';

const PORT_VARIABLE = 'ACE_BENCH_DELAY_PORT';
/** More than a round trip's worth of any rate measured here. */
const MAX_UNDER_WAY_BYTES = 64 * 1_048_576;
const HEADER_BYTES = 2;

/** What makes a process's connections go through the delay line at this port. */
export function delayed(port: string): NodeJS.ProcessEnv {
  return { [PORT_VARIABLE]: port };
}

const nearPorts = new Set<number>();

/** What listens at this port is on the same machine: connections to it are not delayed. */
export function isNear(port: number): void {
  nearPorts.add(port);
}

const linePort = Number(process.env[PORT_VARIABLE] ?? 0);
if (linePort > 0) {
  const connect = net.connect;
  net.connect = ((options: { port: number }, ...rest: never[]) => {
    if (nearPorts.has(Number(options.port)))
      return (connect as (...args: unknown[]) => Socket)(options, ...rest);
    const socket = (connect as (...args: unknown[]) => Socket)(
      { ...options, host: '127.0.0.1', port: linePort },
      ...rest,
    );
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt16BE(options.port);
    socket.write(header);
    return socket;
  }) as typeof net.connect;
}

/** Hands on what comes `delayMs` after it came. */
function forward(from: Socket, to: Socket, delayMs: number): void {
  let underWayBytes = 0;
  const later = (fn: () => void) => setTimeout(fn, delayMs);
  from.on('data', (data) => {
    underWayBytes += data.byteLength;
    if (underWayBytes > MAX_UNDER_WAY_BYTES) from.pause();
    later(() => {
      if (to.destroyed) return;
      to.write(data, () => {
        underWayBytes -= data.byteLength;
        if (underWayBytes <= MAX_UNDER_WAY_BYTES) from.resume();
      });
    });
  });
  from.on('end', () => later(() => to.end()));
  from.on('close', () => later(() => to.destroy()));
  from.on('error', () => undefined); // 'close' follows
}

function serve(delayMs: number): void {
  const server = net.createServer({ noDelay: true }, (near) => {
    near.once('readable', function open() {
      const header = near.read(HEADER_BYTES) as Buffer | null;
      if (!header) return void near.once('readable', open);
      const far = net.connect({ host: '127.0.0.1', port: header.readUInt16BE(), noDelay: true });
      forward(near, far, delayMs);
      forward(far, near, delayMs);
    });
  });
  server.listen(0, '127.0.0.1', () => {
    process.stdout.write(`${(server.address() as net.AddressInfo).port}\n`);
  });
}

if (import.meta.main) serve(Number(process.argv[2]) / 2);
