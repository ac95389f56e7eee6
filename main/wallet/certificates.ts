/** The certificate that this device shows, and the check of those that others show. */
import { sameBytes } from '../../shared/bytes.ts';
import type { NetworkSettings } from '../../shared/economy/settings.ts';
import { AceError } from '../../shared/errors.ts';
import type { Account } from './account.ts';
import { decodeCertificate, encodeCertificate, issueCertificate, verifyCertificate } from './certificate.ts';
import type { DeviceIdentity } from './device.ts';

export interface Certificates {
  /** This device's, canonical bytes. */
  readonly certificate: Uint8Array;
  /**
   * The account that a peer's device acts for.
   * @throws AceError `InvalidCertificate`, also where the certificate is another device's
   */
  checkCertificate(bytes: Uint8Array, peerDevice: Uint8Array): Promise<string>;
}

/**
 * A device that has its account's phrase signs its own certificate; one that was linked without it shows what it was `given`.
 * @throws AceError `InvalidCertificate` when that is of another network or device; `WalletLocked`
 */
export async function certificates(
  account: Account,
  device: DeviceIdentity,
  settings: NetworkSettings,
  nowMs: () => number,
  given: Uint8Array | null = null,
): Promise<Certificates> {
  const checks: Certificates = {
    certificate:
      given ?? encodeCertificate(await issueCertificate(account, settings, device.publicKey, nowMs())),
    async checkCertificate(bytes, peerDevice) {
      const shown = decodeCertificate(bytes);
      if (!sameBytes(shown.devicePublicKey, peerDevice)) {
        throw new AceError('InvalidCertificate', 'The certificate is for another device', {
          reaction: 'drop-peer',
        });
      }
      await verifyCertificate(shown, settings);
      return shown.account;
    },
  };
  if (given) await checks.checkCertificate(given, device.publicKey);
  return checks;
}
