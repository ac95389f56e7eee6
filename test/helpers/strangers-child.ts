/**
 * Fresh identities that come to one host and then say nothing more, each with its own connection and stream, until it is
 * killed. It says how many have come and how many of their connections are open, a line each time:
 *
 *   node test/helpers/strangers-child.ts MULTIADDR PER_SECOND shard
 *   node test/helpers/strangers-child.ts MULTIADDR PER_SECOND pieces NETWORK_ID CHAIN_ID
 */
import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import type { Libp2p } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { FrameStream } from '../../main/p2p/frames.ts';
import { SHARD_LIMITS, SHARD_PROTOCOL } from '../../main/p2p/protocols/shard/constants.ts';
import { PIECES_LIMITS, PIECES_PROTOCOL } from '../../main/pieces/constants.ts';
import { encodeMessage } from '../../main/pieces/messages.ts';
import { accountFromPhrase } from '../../main/wallet/account.ts';
import { encodeCertificate, issueCertificate } from '../../main/wallet/certificate.ts';
import { deviceFromSeed } from '../../main/wallet/device.ts';
import { createPhrase } from '../../main/wallet/phrase.ts';

const [where = '', perSecond = '', what, networkId = '', chainId = ''] = process.argv.slice(2);
const target = multiaddr(where);
/** On their way at once: on a slow machine fewer come, and the rest of it is left to those who are honest. */
const MAX_COMING = 16;
const hosts: Libp2p[] = [];
let come = 0;
let coming = 0;

// What happens to a stranger is nothing to it.
process.on('unhandledRejection', () => undefined);
process.on('uncaughtException', () => undefined);

async function stranger(): Promise<void> {
  const seed = new Uint8Array(randomBytes(32));
  const host = await createLibp2p({
    privateKey: await generateKeyPairFromSeed('Ed25519', seed),
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
  });
  hosts.push(host);
  const connection = await host.dial(target, { signal: AbortSignal.timeout(10_000) });
  const protocol = what === 'pieces' ? PIECES_PROTOCOL : SHARD_PROTOCOL;
  const stream = await connection.newStream(protocol, { signal: AbortSignal.timeout(10_000) });
  const frames = new FrameStream(stream, what === 'pieces' ? PIECES_LIMITS : SHARD_LIMITS);
  if (what === 'pieces') {
    const account = accountFromPhrase(createPhrase(12));
    const network = { networkId, chainId: Number(chainId) };
    const { publicKey } = deviceFromSeed(seed);
    const certificate = encodeCertificate(await issueCertificate(account, network, publicKey, Date.now()));
    frames.send(encodeMessage({ type: 'hello', certificate }));
    await frames.read(10_000);
  }
  come++;
}

setInterval(() => {
  const open = hosts.filter((host) => host.getConnections().length > 0).length;
  writeSync(1, `come ${come}\nopen ${open}\n`);
}, 200);

setInterval(() => {
  if (coming >= MAX_COMING) return;
  coming++;
  // One that is turned away is followed by others.
  void stranger()
    .catch(() => undefined)
    .finally(() => coming--);
}, 1_000 / Number(perSecond));
