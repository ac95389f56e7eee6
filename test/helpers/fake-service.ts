/** A `NodeService` without a node: figures that move by themselves, for tests of the transports and for the pages. */
import type { CheckedInput, NodeFeedListener, NodeService } from '../../main/rpc/service.ts';
import { quoteView } from '../../main/service/views.ts';
import { dayOf, endOfDay, startOfDay } from '../../main/util/local-day.ts';
import { quoteBasisOf } from '../../renderer/format/quote-basis.ts';
import { formatAmount, parseAmount } from '../../shared/economy/money.ts';
import { quoteTraffic } from '../../shared/economy/quote.ts';
import { formatRatio, ratio } from '../../shared/economy/ratio.ts';
import { AceError } from '../../shared/errors.ts';
import { type Limits, limitsSchema, NO_LIMITS } from '../../shared/limits.ts';
import type { ContentView, TransferView } from '../../shared/rpc/content.ts';
import type { LoanView, NodeSnapshot, Output, SettingsView } from '../../shared/rpc/rpc.ts';
import type { SettlementView } from '../../shared/rpc/settlements.ts';
import type { SharingFiguresView, SharingOpenView, SharingSummary } from '../../shared/rpc/sharing.ts';
import { bothSums, passes } from './fake-settlements.ts';
import { FakeWallet } from './fake-wallet.ts';

export type FakeScenario = 'normal' | 'exhausted' | 'empty';

const ACCOUNT = '0x1d4c2f4b6e0a9c7d5b3f1e2d4c6b8a0f1e3d5c7b';
const PROVIDER = '0x7a3f5c1e9b2d4f60718293a4b5c6d7e8f9029fc1';
const OTHER = '0xb41e6d8c0f2a4c6e8091a3b5c7d9e1f302451a7d';
const CLIP_ID = 'bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
const FILM_ID = 'bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy';
const MIB = 1_048_576;
/** Base units of XAC per MiB, near 0.01 XAC per GB. */
const XAC_PER_MIB = 98n;
const TICK_MS = 250;
const KEPT = { pinned: false, paused: false, sourcePath: null, trouble: null } as const;

const NOTHING_SHARED: SharingFiguresView = {
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
const NO_SHARING: SharingSummary = {
  today: NOTHING_SHARED,
  owed: { units: 0, xac: null, sinceMs: null, debtors: [], debtorCount: 0 },
};

export class FakeService extends FakeWallet implements NodeService {
  readonly #listeners = new Set<NodeFeedListener>();
  readonly #scenario: FakeScenario;
  readonly #contents: ContentView[];
  readonly #settlements: SettlementView[] = [];
  readonly #startedAtMs = Date.now();
  #transfer: TransferView | null = null;
  #xat: bigint;
  #usedUnits: number;
  #unsettledUnits = 0;
  #downBytes = 3.4 * 1024 * MIB;
  #steps = 0;
  #timer: NodeJS.Timeout | null = null;
  #limits: Limits = NO_LIMITS;
  pagesUrl: string | null = null;

  constructor(scenario: FakeScenario = 'normal', clipBytes = 16 * MIB) {
    super();
    this.#scenario = scenario;
    this.#xat = scenario === 'normal' ? parseAmount('2.31') : 0n;
    this.#usedUnits = { normal: 3_277, exhausted: 10_240, empty: 0 }[scenario];
    const addedAtMs = this.#startedAtMs - 86_400_000;
    const clip = { contentId: CLIP_ID, name: 'Sample clip', mimeType: 'video/mp4', addedAtMs } as const;
    const film = { contentId: FILM_ID, name: 'Рассвет в гавани', mimeType: 'video/mp4', addedAtMs } as const;
    this.#contents =
      scenario === 'empty'
        ? []
        : [
            { ...clip, sizeBytes: clipBytes, haveBytes: 0, origin: 'offered', servedUnits: 0, ...KEPT },
            {
              ...film,
              sizeBytes: 1229 * MIB,
              haveBytes: 1229 * MIB,
              origin: 'imported',
              servedUnits: 312,
              ...KEPT,
            },
          ];
    if (scenario !== 'empty') for (let i = 0; i < 60; i++) this.#settle(40 + ((i * 37) % 300), i);
    if (scenario === 'exhausted') this.#begin(CLIP_ID);
  }

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
    return { ...nothing, verified: true, sumsAgree: true, nodeAsOfMs: this.#startedAtMs, shardAsked: true };
  }

  async journalExport(): Promise<Output<'journalExport'>> {
    throw new AceError('NotOnThisNetwork', 'There is nothing to export');
  }

  /** Makes the figures move. The answer stops them. */
  start(): () => void {
    this.#timer = setInterval(() => this.step(), TICK_MS);
    return () => {
      if (this.#timer !== null) clearInterval(this.#timer);
      this.#timer = null;
    };
  }

  /** A quarter of a second of life. */
  step(): void {
    this.#steps += 1;
    const transfer = this.#transfer;
    if (transfer?.state === 'fetching') {
      const haveBytes = Math.min(transfer.sizeBytes, transfer.haveBytes + 0.4 * MIB);
      const paidUnits = Math.ceil(haveBytes / MIB);
      this.#downBytes += haveBytes - transfer.haveBytes;
      this.#unsettledUnits += paidUnits - transfer.paidUnits;
      const done = haveBytes === transfer.sizeBytes;
      this.#transfer = {
        ...transfer,
        haveBytes,
        paidUnits,
        costXac: formatAmount(BigInt(paidUnits) * XAC_PER_MIB),
        state: done ? 'done' : 'fetching',
        downBytesPerSecond: done ? 0 : this.#rate(1_700_000),
      };
    }
    if (this.#steps % 12 === 0 && this.#unsettledUnits > 0) void this.settleNow();
    this.emitSnapshot();
  }

  emitSnapshot(): void {
    for (const listener of this.#listeners) listener('change', null);
  }

  /** What the node would tell by itself. */
  readonly emit: NodeFeedListener = (topic, data) => {
    for (const listener of this.#listeners) listener(topic, data);
  };

  get listenerCount(): number {
    return this.#listeners.size;
  }

  onFeed(listener: NodeFeedListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async snapshot(): Promise<NodeSnapshot> {
    return this.#snapshot();
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

  async contents(): Promise<readonly ContentView[]> {
    return this.#contents;
  }

  async settlements(input: CheckedInput<'settlements'>): Promise<readonly SettlementView[]> {
    const { beforeSeq = Number.MAX_SAFE_INTEGER, limit } = input;
    return this.#settlements.filter((row) => row.seq < beforeSeq).slice(0, limit);
  }

  async settlementHistory(input: CheckedInput<'settlementHistory'>): Promise<Output<'settlementHistory'>> {
    const { filter, after, skip, limit } = input;
    const beforeSeq = after === undefined ? Number.MAX_SAFE_INTEGER : Number(after.split('-')[1]);
    const rows = this.#settlements.filter((row) => row.seq < beforeSeq && passes(row, filter));
    const page = rows.slice(skip, skip + limit);
    const last = page.at(-1);
    return { rows: page, next: last && page.length === limit ? `${last.atMs}-${last.seq}` : null };
  }

  async settlementSums({ filter }: CheckedInput<'settlementSums'>): Promise<Output<'settlementSums'>> {
    return bothSums(this.#settlements.filter((row) => passes(row, filter)));
  }

  async settlementDays({
    filter,
    before,
    limit,
  }: CheckedInput<'settlementDays'>): Promise<Output<'settlementDays'>> {
    const rows = this.#settlements.filter((row) => passes(row, filter));
    const days = [...Map.groupBy(rows, ({ atMs }) => dayOf(atMs))]
      .filter(([day]) => before === undefined || day < before)
      .toSorted(([a], [b]) => (a < b ? 1 : -1))
      .slice(0, limit)
      .map(([day, ofDay]) => ({
        day,
        fromMs: startOfDay(day),
        untilMs: endOfDay(day),
        ...bothSums(ofDay),
      }));
    return { days, next: days.length === limit ? (days.at(-1)?.day ?? null) : null };
  }

  async settlementGroups({
    day,
    by,
    filter,
  }: CheckedInput<'settlementGroups'>): Promise<Output<'settlementGroups'>> {
    const rows = this.#settlements.filter((row) => passes(row, filter) && dayOf(row.atMs) === day);
    const groups = Map.groupBy(rows, ({ counterparty }) => (by === 'peer' ? counterparty : ''));
    return [...groups].map(([key, ofGroup]) => ({ key, name: null, ...bothSums(ofGroup) }));
  }

  async settlementCounterparties(): Promise<Output<'settlementCounterparties'>> {
    const accounts = [...new Set(this.#settlements.map((row) => row.counterparty))];
    const count = (account: string) => this.#settlements.filter((r) => r.counterparty === account).length;
    return accounts.map((account) => ({ account, count: count(account) }));
  }

  async settlementDetail(place: CheckedInput<'settlementDetail'>): Promise<Output<'settlementDetail'>> {
    const seq = 'seq' in place ? place.seq : place.shardSeq;
    const row = this.#settlements.find((settlement) => settlement.seq === seq);
    if (!row) throw new AceError('InvalidInput', 'No such settlement');
    return {
      row,
      feeXas: '0.0000000',
      stillOwedUnits: row.creditUnits,
      xacPerUnit: `${XAC_PER_MIB}/1`,
      repayment: null,
      payment: null,
      statement: null,
      channels: [],
    };
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

  async settings(): Promise<SettingsView> {
    return this.#settingsView();
  }

  async setSettings(changes: CheckedInput<'setSettings'>): Promise<SettingsView> {
    this.#limits = limitsSchema.parse({ ...this.#limits, ...changes });
    return this.#settingsView();
  }

  #settingsView(): SettingsView {
    const dataUsed = { dayBytes: 0, monthBytes: 0 };
    return { settings: this.#limits, stops: [], dataUsed, cacheUsedBytes: 0 };
  }

  async play(input: CheckedInput<'play'>): Promise<Output<'play'>> {
    const id = input.contentId.replace(/^(ace|acestream):(\/\/)?/, '');
    const content = this.#contents.find((c) => c.contentId === id);
    if (!content) throw new AceError('ContentUnknown', 'No such content');
    if (content.haveBytes < content.sizeBytes) this.#begin(id);
    return { content, playbackUrl: `${this.pagesUrl}content/${id}` };
  }

  async quote({ units }: CheckedInput<'quote'>): Promise<Output<'quote'>> {
    const basis = quoteBasisOf(this.#snapshot());
    if (!basis) throw new AceError('ShardUnavailable', 'No price');
    return quoteView(quoteTraffic(units, basis), this.#startedAtMs);
  }

  async trafficReport({ period }: CheckedInput<'trafficReport'>): Promise<Output<'trafficReport'>> {
    return { period, bars: [], paymentBytes: 0, protocolBytes: 0, peers: [], contents: [] };
  }

  async sharing({ period }: CheckedInput<'sharing'>): Promise<Output<'sharing'>> {
    return {
      period,
      asOfMs: this.#startedAtMs,
      ...NOTHING_SHARED,
      ...NOTHING_OPEN,
      days: [],
      peers: [],
      titles: [],
    };
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

  async stop(): Promise<Output<'stop'>> {
    this.#transfer = null;
    return { stopped: true };
  }

  async topUp(input: CheckedInput<'topUp'>): Promise<Output<'topUp'>> {
    this.#xat += parseAmount(input.amountXat);
    this.#usedUnits = 0;
    if (this.#transfer?.state === 'paused')
      this.#transfer = { ...this.#transfer, state: 'fetching', reason: null };
    this.emitSnapshot();
    return { holdings: this.#snapshot().holdings, creditUsedUnits: this.#usedUnits, repaid: [] };
  }

  async settleNow(): Promise<Output<'settleNow'>> {
    const claimedUnits = this.#unsettledUnits;
    this.#unsettledUnits = 0;
    if (claimedUnits > 0) this.#settle(claimedUnits, 0);
    const newest = this.#settlements[0];
    if (newest) for (const listener of this.#listeners) listener('settlements', [newest]);
    this.emitSnapshot();
    return { claimedUnits };
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

  #begin(contentId: string): void {
    const content = this.#contents.find((c) => c.contentId === contentId);
    if (!content) return;
    const exhausted = this.#scenario === 'exhausted' && this.#usedUnits > 0;
    this.#transfer = {
      contentId,
      name: content.name,
      sizeBytes: content.sizeBytes,
      haveBytes: exhausted ? 4 * MIB : 0,
      window: false,
      wanted: true,
      state: exhausted ? 'paused' : 'fetching',
      reason: exhausted ? { code: 'CreditExhausted', message: 'credit limit reached' } : null,
      provider: PROVIDER,
      providers: [],
      doubledPieces: 0,
      refusal: exhausted ? { provider: PROVIDER, code: 'ChannelUnleased' } : null,
      downBytesPerSecond: 0,
      fetchingMs: 0,
      paidUnits: exhausted ? 4 : 0,
      costXac: formatAmount(exhausted ? 4n * XAC_PER_MIB : 0n),
    };
  }

  #settle(units: number, index: number): void {
    const seq = this.#settlements.length + 1;
    const earned = index % 4 === 3;
    const onCredit = !earned && index % 5 === 2;
    const gross = onCredit ? 0n : BigInt(units) * XAC_PER_MIB;
    const fee = gross / 10n;
    this.#settlements.unshift({
      seq,
      shard: 0,
      shardSeq: seq,
      batchNumber: 1 + Math.floor(seq / 2),
      batchHash: seq.toString(16).padStart(64, '0'),
      atMs: Date.now() - (60 - seq > 0 ? (60 - seq) * 300_000 : 0),
      direction: earned ? 'earned' : 'paid',
      counterparty: index % 3 === 0 ? OTHER : PROVIDER,
      paidUnits: onCredit ? 0 : units,
      creditUnits: onCredit ? units : 0,
      refusedUnits: 0,
      repaidUnits: index % 7 === 6 ? 64 : 0,
      grossXac: formatAmount(gross),
      feeXac: formatAmount(fee),
      netXac: formatAmount(gross - fee),
      xatBurned: formatAmount(earned ? 0n : gross),
      xasPaid: '0.0000000',
      xacPerGb: '0.0100000',
    });
  }

  #rate(around: number): number {
    return Math.max(0, around * (1 + 0.35 * Math.sin(this.#steps / 5) + 0.15 * Math.sin(this.#steps * 1.7)));
  }

  #loans(): LoanView[] {
    if (this.#usedUnits === 0) return [];
    const first = Math.floor(this.#usedUnits * 0.3);
    return [
      { creditor: PROVIDER, units: first, sinceMs: this.#startedAtMs - 2 * 86_400_000 },
      { creditor: OTHER, units: this.#usedUnits - first, sinceMs: this.#startedAtMs - 86_400_000 },
    ].map((loan) => ({ ...loan, priceXac: formatAmount(BigInt(loan.units) * XAC_PER_MIB) }));
  }

  #snapshot(): NodeSnapshot {
    const empty = this.#scenario === 'empty';
    return {
      version: '0.1.0',
      networkId: 'ace-devnet',
      devnet: true,
      account: ACCOUNT,
      peerId: '12D3KooWGbJk9fKqZ3VxJ2mF6hT8sYpLrN4wQeXx7LmCdUvBaRtS',
      dataDir: '/home/you/.local/share/ace-node',
      startedAtMs: this.#startedAtMs,
      shard: { connected: true, shard: 0, multiaddr: '/ip4/127.0.0.1/tcp/4001', clockJumped: false },
      clock: null,
      distrustedShards: [],
      multiaddrs: ['/ip4/127.0.0.1/tcp/4002'],
      pagesUrl: this.pagesUrl,
      peers: empty ? 0 : 5,
      holdings: {
        services: {
          XAC: this.#scenario === 'normal' ? '0.1240000' : '0.0000000',
          XAT: formatAmount(this.#xat),
          XAS: '0.0000000',
        },
        main: {
          XAT: empty ? '0.0000000' : '25.0000000',
          XAC: '0.0000000',
          XAS: '0.0000000',
          XAB: empty ? '0.0000000' : '1204.5000000',
        },
      },
      credit: { limitUnits: 10_240, usedUnits: this.#usedUnits, reservedUnits: 0, loans: this.#loans() },
      pending: {
        earnedUnits: empty ? 0 : 317,
        earnedXac: empty ? '0.0000000' : '0.0310660',
        owedUnits: this.#unsettledUnits,
        owedXac: formatAmount(BigInt(this.#unsettledUnits) * XAC_PER_MIB),
      },
      sharing: NO_SHARING,
      price: {
        xacPerGb: '0.0100000',
        xatPerGb: '0.2857143',
        xacPerXat: '0.0350000',
        trafficRateGbPerHour: '3.5',
        exact: {
          xacPerUnit: `${XAC_PER_MIB}/1`,
          xatPerUnit: formatRatio(ratio(XAC_PER_MIB * 200n, 7n)),
          xacPerXat: '7/200',
          xacPerXas: '0/1',
          trafficFee: '1/10',
        },
        asOfMs: this.#startedAtMs,
      },
      traffic: {
        downBytesPerSecond: this.#transfer?.downBytesPerSecond ?? 0,
        upBytesPerSecond: empty || this.#steps % 60 > 44 ? 0 : this.#rate(900_000),
        downBytes: empty ? 0 : this.#downBytes,
        upBytes: empty ? 0 : 5.9 * 1024 * MIB,
        paymentBytes: empty ? 0 : 31_400 + this.#steps * 64,
        protocolBytes: empty ? 0 : 412_000 + this.#steps * 210,
      },
      limits: this.#settingsView(),
      diskFreeBytes: 2 ** 40,
      transfers: this.#transfer ? [this.#transfer] : [],
      settlementCount: this.#settlements.length,
      repayments: [],
    };
  }
}
