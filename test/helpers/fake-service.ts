/** A `NodeService` without a node: figures that move by themselves, for tests of the transports and for the pages. */
import type { CheckedInput, NodeFeedListener, NodeService } from '../../main/rpc/service.ts';
import { quoteView } from '../../main/service/views.ts';
import { quoteBasisOf } from '../../renderer/format/quote-basis.ts';
import { formatAmount, parseAmount } from '../../shared/economy/money.ts';
import { quoteTraffic } from '../../shared/economy/quote.ts';
import { formatRatio, ratio } from '../../shared/economy/ratio.ts';
import { AceError } from '../../shared/errors.ts';
import { type Limits, limitsSchema, NO_LIMITS } from '../../shared/limits.ts';
import type { ContentView, TransferView } from '../../shared/rpc/content.ts';
import type { LoanView, NodeSnapshot, Output, SettingsView } from '../../shared/rpc/rpc.ts';
import type { SharingSummary } from '../../shared/rpc/sharing.ts';
import { FakeLedger, OTHER, PROVIDER, XAC_PER_MIB } from './fake-ledger.ts';
import { NOTHING_SHARED } from './fake-quiet.ts';
import { NO_AUTO_TOP_UP } from './spending.ts';

export type FakeScenario = 'normal' | 'exhausted' | 'empty';

const ACCOUNT = '0x1d4c2f4b6e0a9c7d5b3f1e2d4c6b8a0f1e3d5c7b';
const CLIP_ID = 'bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
const FILM_ID = 'bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy';
const MIB = 1_048_576;
const TICK_MS = 250;
const KEPT = { pinned: false, paused: false, sourcePath: null, trouble: null } as const;

const NO_SHARING: SharingSummary = {
  today: NOTHING_SHARED,
  owed: { units: 0, xac: null, sinceMs: null, debtors: [], debtorCount: 0 },
};

export class FakeService extends FakeLedger implements NodeService {
  readonly #listeners = new Set<NodeFeedListener>();
  readonly #scenario: FakeScenario;
  readonly #contents: ContentView[];
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
    const addedAtMs = this.startedAtMs - 86_400_000;
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
    if (scenario !== 'empty') for (let i = 0; i < 60; i++) this.settle(40 + ((i * 37) % 300), i);
    if (scenario === 'exhausted') this.#begin(CLIP_ID);
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

  async contents(): Promise<readonly ContentView[]> {
    return this.#contents;
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
    const spent = { dayXac: '0.0000000', monthXac: '0.0000000', onItsWayXac: '0.0000000' };
    return { settings: this.#limits, stops: [], dataUsed, spent, cacheUsedBytes: 0 };
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
    return quoteView(quoteTraffic(units, basis), this.startedAtMs);
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
    if (claimedUnits > 0) this.settle(claimedUnits, 0);
    const newest = this.settled[0];
    if (newest) for (const listener of this.#listeners) listener('settlements', [newest]);
    this.emitSnapshot();
    return { claimedUnits };
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

  #rate(around: number): number {
    return Math.max(0, around * (1 + 0.35 * Math.sin(this.#steps / 5) + 0.15 * Math.sin(this.#steps * 1.7)));
  }

  #loans(): LoanView[] {
    if (this.#usedUnits === 0) return [];
    const first = Math.floor(this.#usedUnits * 0.3);
    return [
      { creditor: PROVIDER, units: first, sinceMs: this.startedAtMs - 2 * 86_400_000 },
      { creditor: OTHER, units: this.#usedUnits - first, sinceMs: this.startedAtMs - 86_400_000 },
    ].map((loan) => ({ ...loan, priceXac: formatAmount(BigInt(loan.units) * XAC_PER_MIB) }));
  }

  #snapshot(): NodeSnapshot {
    const empty = this.#scenario === 'empty';
    return {
      version: '0.1.0',
      networkId: 'ace-devnet',
      devnet: true,
      faucet: true,
      account: ACCOUNT,
      peerId: '12D3KooWGbJk9fKqZ3VxJ2mF6hT8sYpLrN4wQeXx7LmCdUvBaRtS',
      dataDir: '/home/you/.local/share/ace-node',
      startedAtMs: this.startedAtMs,
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
        asOfMs: this.startedAtMs,
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
      autoTopUp: NO_AUTO_TOP_UP,
      diskFreeBytes: 2 ** 40,
      transfers: this.#transfer ? [this.#transfer] : [],
      settlementCount: this.settled.length,
      repayments: [],
    };
  }
}
