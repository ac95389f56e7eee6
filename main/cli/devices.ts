/** `ace-node devices …`: the devices of the account. */
import type { DeviceView } from '../../shared/rpc/wallet.ts';
import type { NodeConfig } from '../data-dir/config.ts';
import { openExisting } from './node-connection.ts';
import { unlocked } from './operations.ts';
import { newPassphrase } from './passphrase.ts';
import { checkNoWallet, withWallet } from './wallet-connection.ts';

export const DEVICES_HELP = `
A second device of your account, two ways:
- with the recovery phrase: ace-node wallet restore on it. It can then do everything.
- without it: ace-node devices request on it prints its key; ace-node devices link KEY here
  prints a certificate; ace-node devices join CERTIFICATE there. It streams and is paid for the
  account, but signs no send, mint, swap or link.
An unlinked device gets no new leases: it cannot watch on the account any more.`;

const STATES: Record<DeviceView['state'], string> = {
  linked: 'linked',
  unlinked: 'UNLINKED',
  unnamed: 'by its certificate',
};

export async function devicesCommand(config: NodeConfig, json: boolean): Promise<void> {
  const connection = await openExisting(config);
  try {
    const devices = await connection.call('devices', {});
    const lines = devices.map(
      ({ device, state, thisDevice }) => `${device}  ${STATES[state]}${thisDevice ? '  (this device)' : ''}`,
    );
    process.stdout.write(`${json ? JSON.stringify(devices, null, 2) : lines.join('\n')}\n`);
  } finally {
    await connection.close();
  }
}

export async function deviceRequestCommand(config: NodeConfig): Promise<void> {
  await withWallet(config, async (connection) => {
    process.stdout.write(`${(await connection.call('deviceRequest', {})).device}\n`);
  });
}

export async function deviceLinkCommand(config: NodeConfig, device: string): Promise<void> {
  const connection = await openExisting(config);
  try {
    const { certificate } = await unlocked(connection, config, () =>
      connection.call('deviceLink', { device }),
    );
    process.stderr.write('Linked. On the other device: ace-node devices join, with this certificate:\n');
    process.stdout.write(`${certificate}\n`);
  } finally {
    await connection.close();
  }
}

export async function deviceUnlinkCommand(config: NodeConfig, device: string): Promise<void> {
  const connection = await openExisting(config);
  try {
    await unlocked(connection, config, () => connection.call('deviceUnlink', { device }));
    process.stdout.write('Unlinked: it gets no new leases. What it has leased already is still paid.\n');
  } finally {
    await connection.close();
  }
}

export async function deviceJoinCommand(
  config: NodeConfig,
  certificate: string,
  plain: boolean,
): Promise<void> {
  await withWallet(config, async (connection) => {
    checkNoWallet(config);
    const passphrase = plain ? null : await newPassphrase(config.passphrase, 'A passphrase for this device');
    const { address } = await connection.call('walletJoin', { certificate, passphrase });
    process.stdout.write(`This device acts for ${address}.\n`);
  });
}
