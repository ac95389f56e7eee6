/** `ace-node devices` */
import type { Command } from 'commander';
import {
  DEVICES_HELP,
  deviceJoinCommand,
  deviceLinkCommand,
  deviceRequestCommand,
  devicesCommand,
  deviceUnlinkCommand,
} from '../devices.ts';
import { notEmpty } from '../option-values.ts';
import { type CommandContext, type CommonOptions, ofNode } from './command-context.ts';
import { jsonOption, plainOption } from './wallet.ts';

export function addDevicesCommand(program: Command, context: CommandContext): void {
  const devices = program.command('devices').description('the devices that act for the account');
  devices.addHelpText('after', DEVICES_HELP);
  ofNode(devices.command('list', { isDefault: true }))
    .description('list them')
    .addOption(jsonOption())
    .action((o: CommonOptions & { json: boolean }) => devicesCommand(context.configOf(o), o.json));
  ofNode(devices.command('request'))
    .description('this device’s key, for the device that links it')
    .action((o: CommonOptions) => deviceRequestCommand(context.configOf(o)));
  ofNode(devices.command('link'))
    .argument('<device>', 'key that ace-node devices request printed there', notEmpty)
    .description('let a device act for the account; prints its certificate')
    .action((device: string, o: CommonOptions) => deviceLinkCommand(context.configOf(o), device));
  ofNode(devices.command('unlink'))
    .argument('<device>', 'its key', notEmpty)
    .description('let a device use the account no more: it gets no new leases')
    .action((device: string, o: CommonOptions) => deviceUnlinkCommand(context.configOf(o), device));
  ofNode(devices.command('join'))
    .argument('<certificate>', 'what ace-node devices link printed there', notEmpty)
    .description('act for the account that linked this device')
    .addOption(plainOption())
    .action((certificate: string, o: CommonOptions & { passphrase: boolean }) =>
      deviceJoinCommand(context.configOf(o), certificate, !o.passphrase),
    );
}
