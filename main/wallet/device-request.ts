/**
 * The key of a device that waits for its account: made when its public half is first shown, kept until the certificate
 * comes back. Worth nothing before an account links it, and removed when there is a wallet.
 */
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { z } from 'zod';
import { AceError } from '../../shared/errors.ts';
import { fromHex, toHex } from '../../shared/hex.ts';
import { storeError } from '../db/open.ts';
import { writeFileAtomic } from '../util/atomic-write.ts';
import { createDevice, type DeviceIdentity, deviceFromSeed } from './device.ts';
import { hexText } from './seal.ts';

const OWNER_ONLY = 0o600;
const fileSchema = z.strictObject({ format: z.literal('ace-device-request-1'), deviceSeed: hexText(32) });

/** The same one each time. @throws AceError `WalletInvalid` (damaged), `DataDirNotWritable`, `StoreFailed` */
export async function waitingDevice(path: string): Promise<DeviceIdentity> {
  try {
    if (existsSync(path)) return deviceFromSeed(await storedSeed(path));
    const device = createDevice();
    const deviceSeed = toHex(device.seed());
    const file = { format: 'ace-device-request-1', deviceSeed };
    await writeFileAtomic(path, `${JSON.stringify(file)}\n`, OWNER_ONLY);
    return device;
  } catch (error) {
    throw storeError(error, path);
  }
}

/**
 * A wallet made unasked would make worthless the certificate that is on its way.
 * @throws AceError `WalletMissing`
 */
export function checkNotAsked(path: string): void {
  if (!existsSync(path)) return;
  throw new AceError(
    'WalletMissing',
    'This device has asked to act for an account: finish with ace-node devices join CERTIFICATE, or give the request up with a wallet of its own, by ace-node wallet create',
  );
}

export async function forgetWaitingDevice(path: string): Promise<void> {
  await rm(path, { force: true });
}

async function storedSeed(path: string): Promise<Uint8Array> {
  const text = await readFile(path, 'utf8');
  try {
    return fromHex(fileSchema.parse(JSON.parse(text)).deviceSeed);
  } catch {
    throw new AceError(
      'WalletInvalid',
      `${path} is damaged: remove it, and show this device’s request again`,
      {
        details: { reason: 'damaged' },
      },
    );
  }
}
