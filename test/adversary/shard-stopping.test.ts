/** A shard that is told to stop while the main chain's process hangs (swapping, stopped): it ends in bounded time. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { openStream, parseMultiaddr } from '../../main/p2p/host.ts';
import { SHARD_LIMITS, SHARD_PROTOCOL } from '../../main/p2p/protocols/shard/constants.ts';
import { RequestClient } from '../../main/p2p/requests.ts';
import { sha256 } from '../../main/util/sha256.ts';
import { accountFromPhrase } from '../../main/wallet/account.ts';
import { encodeCertificate, issueCertificate } from '../../main/wallet/certificate.ts';
import { createDevice } from '../../main/wallet/device.ts';
import { encodeTerms } from '../../shared/channel/records.ts';
import { AceError } from '../../shared/errors.ts';
import { secretsAt, useShards } from '../helpers/shards.ts';
import { waitFor } from '../helpers/wait.ts';

/** Stands for the 15 s after which a request to the main chain is given up. */
const TIMEOUT_MS = 1_000;
const STREAMS = 12;

it('leases that wait for a chain that hangs do not hold up the end of their shard', async () => {
  const shards = await useShards(2);
  const { chain, settings, multiaddr } = shards.of(1);
  const peer = await shards.peer(1);
  let hanging = 0;
  const hang = async () => {
    hanging += 1;
    await delay(TIMEOUT_MS);
    throw new AceError('RequestTimeout', 'as the remote chain says after 15 s');
  };
  Object.assign(chain, { deviceLink: hang, market: hang, account: hang });
  const device = createDevice();
  const account = accountFromPhrase(secretsAt(1, 2).phrase);
  const certificate = encodeCertificate(
    await issueCertificate(account, settings, device.publicKey, Date.now()),
  );
  for (let i = 0; i < STREAMS; i++) {
    const frames = await openStream(peer.host, [parseMultiaddr(multiaddr)], SHARD_PROTOCOL, SHARD_LIMITS);
    const terms = encodeTerms({
      networkId: settings.networkId,
      shard: 1,
      payer: account.address,
      payee: peer.account.address,
      payerDevice: device.publicKey,
      payeeDevice: createDevice().publicKey,
      capacityUnits: 1,
      anchor: sha256(randomBytes(32)),
      expiresAtMs: Date.now() + 3_600_000,
      nonce: new Uint8Array(randomBytes(16)),
    });
    new RequestClient(frames, () => undefined)
      .request('lease', { terms, termsSignature: device.sign(terms), certificate })
      .catch(() => undefined);
  }
  await waitFor('a lease waits for the chain', () => hanging > 0);
  const startedAtMs = performance.now();
  await shards.stop(1);
  // With the real 15 s: one request under way and one of the last settlement, not a request for each stream.
  expect((performance.now() - startedAtMs) / TIMEOUT_MS).toBeLessThan(4);
});
