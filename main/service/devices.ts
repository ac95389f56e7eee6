/**
 * The devices of an account: which there are, linking one, unlinking one. A link is the account's signed word twice: a
 * certificate, which the device shows to whomever it meets, and an operation on the main chain, which an unlink takes
 * back: an unlinked device gets no lease.
 */

import { isDeviceKey } from '../../shared/device-key.ts';
import { AceError } from '../../shared/errors.ts';
import { fromHex, toHex } from '../../shared/hex.ts';
import type { DeviceView, WalletOutputs } from '../../shared/rpc/wallet.ts';
import { withoutInvisible } from '../../shared/typed/invisible.ts';
import type { RunningPeer } from '../peer/peer.ts';
import type { CheckedInput } from '../rpc/service.ts';
import { encodeCertificate, issueCertificate } from '../wallet/certificate.ts';
import { peerIdOf } from '../wallet/device-peer-id.ts';
import { knowDevice, knownDevices } from '../wallet/known-devices.ts';
import type { OperationService } from './operations.ts';

export class DeviceService {
  readonly #peer: RunningPeer;
  readonly #operations: OperationService;
  readonly #nowMs: () => number;

  constructor(peer: RunningPeer, operations: OperationService, nowMs: () => number) {
    this.#peer = peer;
    this.#operations = operations;
    this.#nowMs = nowMs;
  }

  /** This device first. @throws AceError `ShardUnavailable` */
  readonly devices = async (): Promise<readonly DeviceView[]> => {
    const { shardClient, account, device, store } = this.#peer;
    const own = toHex(device.publicKey);
    const { devices } = await shardClient.call('devices', { account: account.address });
    const linkedByDevice = new Map(devices.map((named) => [named.device, named.linked]));
    const all = new Set([own, ...linkedByDevice.keys(), ...knownDevices(store)]);
    return [...all].map((key) => {
      const linked = linkedByDevice.get(key);
      return {
        device: key,
        peerId: peerIdOf(fromHex(key)),
        thisDevice: key === own,
        state: linked === undefined ? 'unnamed' : linked ? 'linked' : 'unlinked',
      };
    });
  };

  /** @throws AceError `InvalidInput`, `WalletLocked`, as `OperationService.act` */
  readonly deviceLink = async ({
    device: text,
  }: CheckedInput<'deviceLink'>): Promise<WalletOutputs['deviceLink']> => {
    const { account, settings, store } = this.#peer;
    const device = parseDevice(text);
    const certificate = await issueCertificate(account, settings, fromHex(device), this.#nowMs());
    const result = await this.#operations.act({ kind: 'link', device });
    store.commit(() => knowDevice(store, device));
    return { ...result, certificate: toHex(encodeCertificate(certificate)) };
  };

  /** @throws AceError `InvalidInput`, `NotAllowed` (this device itself), `WalletLocked`, as `OperationService.act` */
  readonly deviceUnlink = async ({
    device: text,
  }: CheckedInput<'deviceUnlink'>): Promise<WalletOutputs['deviceUnlink']> => {
    const device = parseDevice(text);
    if (device === toHex(this.#peer.device.publicKey)) {
      throw new AceError(
        'NotAllowed',
        'This is the device you are on: unlink it from another one, or it could not even watch any more',
      );
    }
    return this.#operations.act({ kind: 'unlink', device });
  };
}

function parseDevice(text: string): string {
  const device = withoutInvisible(text).trim().toLowerCase();
  if (/^[0-9a-f]{64}$/.test(device) && isDeviceKey(fromHex(device))) return device;
  throw new AceError('InvalidInput', 'Not a device: copy all 64 digits of what the other device shows', {
    details: { field: 'device', reason: 'device' },
  });
}
