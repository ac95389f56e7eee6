import { publicKeyFromRaw } from '@libp2p/crypto/keys';
import type { PeerId } from '@libp2p/interface';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import { AceError } from '../../shared/errors.ts';

/** Raw Ed25519 public key behind a peer id: the peer's device key. @throws AceError `InvalidCertificate` */
export function deviceKeyOf(peer: PeerId): Uint8Array {
  if (peer.type !== 'Ed25519') {
    throw new AceError('InvalidCertificate', 'The peer has no Ed25519 identity', { reaction: 'drop-peer' });
  }
  return peer.publicKey.raw;
}

/** The peer id of a device: the other way round of {@link deviceKeyOf}. @param device raw Ed25519 public key */
export function peerIdOf(device: Uint8Array): string {
  return peerIdFromPublicKey(publicKeyFromRaw(device)).toString();
}
