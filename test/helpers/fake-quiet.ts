/** What a node answers that has nothing of it: no broadcasts, no channels, no journal, no other peers. */
import type { CheckedInput } from '../../main/rpc/service.ts';
import { AceError } from '../../shared/errors.ts';
import type { ContentView } from '../../shared/rpc/content.ts';
import type { Output } from '../../shared/rpc/rpc.ts';
import type { SharingFiguresView, SharingOpenView } from '../../shared/rpc/sharing.ts';
import { FakeWallet } from './fake-wallet.ts';

export const NOTHING_SHARED: SharingFiguresView = {
  sentBytes: 0,
  paidUnits: 0,
  creditUnits: 0,
  refusedUnits: 0,
  repaidUnits: 0,
  earnedXac: '0.0000000',
  repaidXac: '0.0000000',
  earnedXas: '0.0000000',
  feeXac: '0.0000000',
};
const NOTHING_OPEN: SharingOpenView = {
  pendingUnits: 0,
  pendingXac: null,
  owedUnits: 0,
  owedXac: null,
  owedSinceMs: null,
};

export class FakeQuiet extends FakeWallet {
  protected readonly startedAtMs = Date.now();

  /** The journal of an account that nothing ever happened to. */
  async journalEntries(): Promise<Output<'journalEntries'>> {
    return { entries: [], next: null };
  }

  async journalBalances(): Promise<Output<'journalBalances'>> {
    return { balances: [] };
  }

  async journalVerify(): Promise<Output<'journalVerify'>> {
    const nothing = {
      entries: 0,
      wrongEntries: 0,
      contradicting: [],
      overbilled: [],
      unnamed: 0,
      withoutDetail: 0,
      comparisons: [],
    };
    return { ...nothing, verified: true, sumsAgree: true, nodeAsOfMs: this.startedAtMs, shardAsked: true };
  }

  async journalExport(): Promise<Output<'journalExport'>> {
    throw new AceError('NotOnThisNetwork', 'There is nothing to export');
  }

  async broadcasts(): Promise<Output<'broadcasts'>> {
    return [];
  }

  async startBroadcast(): Promise<never> {
    throw new AceError('Internal', 'A node that only looks like one makes no broadcasts');
  }

  async endBroadcast(): Promise<never> {
    throw new AceError('BroadcastUnknown', 'This node makes no such broadcast');
  }

  async channels(): Promise<Output<'channels'>> {
    return { channels: [], next: null, count: 0, counterparties: [], contents: [] };
  }

  async importFile(input: CheckedInput<'importFile'>): Promise<ContentView> {
    throw new AceError('FileMissing', `No such file: ${input.path}`, { details: { path: input.path } });
  }

  async filesIn({ path }: CheckedInput<'filesIn'>): Promise<Output<'filesIn'>> {
    return { files: [path], leftOut: [] };
  }

  async deleteContent(): Promise<Output<'deleteContent'>> {
    throw new AceError('ContentUnknown', 'No such content');
  }

  async pinContent(): Promise<ContentView> {
    throw new AceError('ContentUnknown', 'No such content');
  }

  async pauseContent(): Promise<ContentView> {
    throw new AceError('ContentUnknown', 'No such content');
  }

  async trafficReport({ period }: CheckedInput<'trafficReport'>): Promise<Output<'trafficReport'>> {
    return { period, bars: [], paymentBytes: 0, protocolBytes: 0, peers: [], contents: [] };
  }

  async sharing({ period }: CheckedInput<'sharing'>): Promise<Output<'sharing'>> {
    return {
      period,
      asOfMs: this.startedAtMs,
      ...NOTHING_SHARED,
      ...NOTHING_OPEN,
      days: [],
      peers: [],
      titles: [],
    };
  }

  async sales(): Promise<Output<'sales'>> {
    return [];
  }

  async earnedByTitle(): Promise<Output<'earnedByTitle'>> {
    return [];
  }

  async network(): Promise<Output<'network'>> {
    return { shards: [], peers: [], history: [] };
  }

  async networkChoice(): Promise<Output<'networkChoice'>> {
    return { mode: 'devnet', multiaddr: null, fixed: true };
  }

  async chooseNetwork(): Promise<Output<'networkChoice'>> {
    return this.networkChoice();
  }

  async reachNetwork(): Promise<Output<'reachNetwork'>> {
    return {};
  }

  async walletSkip(): Promise<never> {
    throw new AceError('WalletInvalid', 'There is a wallet');
  }

  async ports(): Promise<Output<'ports'>> {
    const port = { now: null, chosen: null, given: false };
    return { http: port, peers: port };
  }

  async setPorts(): Promise<Output<'setPorts'>> {
    return this.ports();
  }

  async pools(): Promise<never> {
    throw new AceError('ShardUnavailable', 'No pools');
  }

  async tracks(): Promise<Output<'tracks'>> {
    return { tracks: null };
  }

  async apiToken(): Promise<Output<'apiToken'>> {
    return { token: 'fake-token', file: '/home/you/.local/share/ace-node/api-token' };
  }

  async renewApiToken(): Promise<Output<'renewApiToken'>> {
    return { token: 'fake-token' };
  }

  async shutdown(): Promise<Output<'shutdown'>> {
    return {};
  }
}
