/**
 * Who announces: the account that the certificate names, of the device that the connection proves. So nobody announces in
 * another's name, and a provider's share of the rendezvous is its account's.
 */
import { LRUCache } from 'lru-cache';
import { sameBytes } from '../../shared/bytes.ts';
import type { NetworkSettings } from '../../shared/economy/settings.ts';
import { AceError } from '../../shared/errors.ts';
import { decodeCertificate, verifyCertificate } from '../wallet/certificate.ts';
import { peerIdOf } from '../wallet/device-peer-id.ts';
import { REMEMBERED_ANNOUNCERS } from './limits.ts';

interface Announcer {
  readonly certificate: Uint8Array;
  readonly account: string;
}

export class Announcers {
  readonly #settings: NetworkSettings;
  /** A node announces every few seconds, and its certificate takes milliseconds to check. */
  readonly #checked = new LRUCache<string, Announcer>({ max: REMEMBERED_ANNOUNCERS });

  constructor(settings: NetworkSettings) {
    this.#settings = settings;
  }

  /** @throws AceError `InvalidCertificate` */
  async accountOf(certificate: Uint8Array, peerId: string): Promise<string> {
    const known = this.#checked.get(peerId);
    if (known && sameBytes(known.certificate, certificate)) return known.account;
    const shown = decodeCertificate(certificate);
    if (peerIdOf(shown.devicePublicKey) !== peerId) {
      throw new AceError('InvalidCertificate', 'The certificate is for another device', {
        reaction: 'drop-peer',
      });
    }
    await verifyCertificate(shown, this.#settings);
    this.#checked.set(peerId, { certificate: certificate.slice(), account: shown.account });
    return shown.account;
  }
}
