/** Grants leases: the shard's word that it reserved a channel's capacity out of the payer's funds and credit. */

import { sameBytes } from '../../shared/bytes.ts';
import { type ChannelTerms, channelIdOf, decodeTerms, encodeLease } from '../../shared/channel/records.ts';
import { AceError } from '../../shared/errors.ts';
import { toHex } from '../../shared/hex.ts';
import type { MainChain } from '../chain/port.ts';
import type { ValidatorStore } from '../db/validator/store.ts';
import { sha256 } from '../util/sha256.ts';
import { decodeCertificate, verifyCertificate } from '../wallet/certificate.ts';
import { type DeviceIdentity, devicePublicKey, isSignedBy } from '../wallet/device.ts';
import { accountView } from './accounts.ts';
import { checkHome } from './check-home.ts';
import { checkAnchorFree, checkNotDisputed } from './disputes.ts';
import {
  LEASE_UNITS_PER_SECOND,
  MAX_DEVICE_LEASES,
  MAX_DEVICE_UNITS,
  MAX_LEASE_MS,
  MAX_LEASES_PER_HOUR,
  MAX_OPEN_LEASES,
} from './limits.ts';

const HOUR_MS = 3_600_000;

export interface LeaseRequest {
  /** Canonical bytes of the terms. */
  readonly terms: Uint8Array;
  /** By the payer's device. */
  readonly termsSignature: Uint8Array;
  /** Links the payer's device to its account, canonical bytes. */
  readonly certificate: Uint8Array;
}

export interface LeasingContext {
  readonly chain: MainChain;
  readonly store: ValidatorStore;
  readonly key: DeviceIdentity;
  readonly shard: number;
  readonly nowMs: () => number;
}

/**
 * Signs a lease; the same terms again get the same lease. Runs alone on the shard (see `serializer`).
 * @throws AceError `MessageMalformed`, `WrongNetwork`, `WrongShard`, `InvalidSignature`, `InvalidCertificate`, `LeaseRefused`,
 * `DeviceDisputed`, `CreditExhausted` with `leasableUnits` in its details
 */
export async function grantLease(context: LeasingContext, request: LeaseRequest): Promise<Uint8Array> {
  const { chain, store, key, shard, nowMs } = context;
  const settings = chain.settings();
  const terms = decodeTerms(request.terms);
  if (terms.networkId !== settings.networkId || terms.shard !== shard) {
    throw new AceError('WrongNetwork', `Terms of network ${terms.networkId}, shard ${terms.shard}`, {
      reaction: 'drop-peer',
    });
  }
  const certificate = decodeCertificate(request.certificate);
  if (certificate.account !== terms.payer || !sameBytes(certificate.devicePublicKey, terms.payerDevice)) {
    throw new AceError('InvalidCertificate', 'The certificate is not of the payer and device in the terms', {
      reaction: 'drop-peer',
    });
  }
  await verifyCertificate(certificate, settings);
  checkHome(settings, shard, terms.payer);
  if (!isSignedBy(devicePublicKey(terms.payerDevice), request.terms, request.termsSignature)) {
    throw new AceError('InvalidSignature', 'The terms are not signed by the payer’s device', {
      reaction: 'drop-peer',
    });
  }
  if ((await chain.deviceLink(terms.payer, toHex(terms.payerDevice))) === 'unlinked') {
    throw new AceError('LeaseRefused', 'The account has unlinked this device', { reaction: 'pause-channel' });
  }
  if (terms.payer === terms.payee) throw new AceError('LeaseRefused', 'Devices of one account pay nothing');

  const channelId = channelIdOf(request.terms, sha256);
  const known = store.leases.get(channelId);
  if (known) {
    if (known.released === 1) throw new AceError('LeaseRefused', 'The lease has ended; open a new channel');
    return known.signature;
  }
  checkNotDisputed(store, terms.payerDevice);
  checkAnchorFree(store, terms, { record: request.terms, signature: request.termsSignature });
  const leasedAtMs = nowMs();
  if (terms.expiresAtMs <= leasedAtMs || terms.expiresAtMs > leasedAtMs + MAX_LEASE_MS) {
    throw new AceError('LeaseRefused', 'The terms expire too soon or too late');
  }

  checkLeaseCounts(store, terms.payer, leasedAtMs);
  checkDevice(store, terms, leasedAtMs);
  const { leasableUnits } = await accountView(chain, store, terms.payer);
  if (terms.capacityUnits > leasableUnits) {
    throw new AceError(
      'CreditExhausted',
      `${leasableUnits} units can be leased, asked for ${terms.capacityUnits}`,
      {
        reaction: 'pause-channel',
        details: { leasableUnits },
      },
    );
  }
  const { capacityUnits, expiresAtMs } = terms;
  const signature = key.sign(encodeLease({ channelId, shard, capacityUnits, expiresAtMs }));
  store.commit(() => {
    store.watchers.start(terms.payer, leasedAtMs);
    store.leases.insert({
      channelId,
      anchor: terms.anchor,
      payer: terms.payer,
      payee: terms.payee,
      payerDevice: terms.payerDevice,
      payeeDevice: terms.payeeDevice,
      terms: request.terms,
      signature,
      capacityUnits,
      leasedAtMs,
      expiresAtMs,
    });
    store.disputes.saveTermsSignature(channelId, request.termsSignature);
  });
  return signature;
}

/** No more than the device can use: what it has leased is lost when it is stolen. */
function checkDevice(
  store: ValidatorStore,
  { payer, payerDevice, capacityUnits, expiresAtMs }: ChannelTerms,
  nowMs: number,
): void {
  const usableUnits = Math.ceil(((expiresAtMs - nowMs) / 1_000) * LEASE_UNITS_PER_SECOND);
  if (capacityUnits > usableUnits) {
    throw new AceError(
      'LeaseRefused',
      `Until the terms expire no device takes more than ${usableUnits} units`,
    );
  }
  const open = store.leases.openOfDevice(payer, payerDevice);
  if (open.leases >= MAX_DEVICE_LEASES || open.units + capacityUnits > MAX_DEVICE_UNITS) {
    throw new AceError(
      'LeaseRefused',
      `A device has at most ${MAX_DEVICE_LEASES} open leases and ${MAX_DEVICE_UNITS} units on them; close some`,
      {
        reaction: 'pause-channel',
        details: { maxDeviceLeases: MAX_DEVICE_LEASES, maxDeviceUnits: MAX_DEVICE_UNITS },
      },
    );
  }
}

function checkLeaseCounts(store: ValidatorStore, payer: string, nowMs: number): void {
  if (store.leases.openCount(payer) >= MAX_OPEN_LEASES) {
    throw new AceError('LeaseRefused', `An account has at most ${MAX_OPEN_LEASES} open leases; close some`, {
      reaction: 'pause-channel',
      details: { maxOpenLeases: MAX_OPEN_LEASES },
    });
  }
  if (store.leases.countSince(payer, nowMs - HOUR_MS) >= MAX_LEASES_PER_HOUR) {
    throw new AceError('LeaseRefused', `An account gets ${MAX_LEASES_PER_HOUR} leases an hour; try later`, {
      reaction: 'pause-channel',
      details: { maxLeasesPerHour: MAX_LEASES_PER_HOUR },
    });
  }
}
