/** The procedures of an account's funds and devices, on a running node. */

import type { RunningPeer } from '../peer/peer.ts';
import type { NodeService } from '../rpc/service.ts';
import { DeviceDesk } from './devices.ts';
import { AccountDesk } from './operations.ts';

export type AccountProcedures = Pick<
  NodeService,
  | 'receive'
  | 'repayments'
  | 'quoteSend'
  | 'send'
  | 'quoteMint'
  | 'mint'
  | 'quoteSwap'
  | 'swap'
  | 'quoteAccess'
  | 'buyAccess'
  | 'topUp'
  | 'devices'
  | 'deviceLink'
  | 'deviceUnlink'
>;

export function accountProcedures(peer: RunningPeer): AccountProcedures {
  const account = new AccountDesk(peer, Date.now);
  const devices = new DeviceDesk(peer, account, Date.now);
  return {
    receive: async () => account.receive(),
    repayments: async (input) => account.repayments(input),
    quoteSend: (input) => account.quoteSend(input),
    send: async (input) => account.send(input),
    quoteMint: (input) => account.quoteMint(input),
    mint: async (input) => account.mint(input),
    quoteSwap: (input) => account.quoteSwap(input),
    swap: (input) => account.swap(input),
    quoteAccess: (input) => account.quoteAccess(input),
    buyAccess: async (input) => account.buyAccess(input),
    topUp: (input) => account.topUp(input),
    devices: () => devices.list(),
    deviceLink: ({ device }) => devices.link(device),
    deviceUnlink: ({ device }) => devices.unlink(device),
  };
}
