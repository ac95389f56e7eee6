/**
 * The one contract between the node and what drives it: pages (over Electron IPC or a WebSocket on loopback) and
 * the command line. Amounts are decimal token strings with 7 decimals, times are milliseconds since 1970 UTC, traffic
 * is bytes or traffic units as the name says. Inputs are checked at the boundary with these schemas.
 */
import '../input-words.ts';
import { z } from 'zod';
import { PLACES } from '../economy/holdings.ts';
import { type DecimalAmount, TOKENS } from '../economy/money.ts';
import type { ErrorCode } from '../errors.ts';
import { because } from '../input-words.ts';
import { type DataTotals, type Limits, limitsSchema, type Stop } from '../limits.ts';
import { type ChannelsView, channelsInput } from './channels.ts';
import type { ContentView, FilesView, TrackView, TransferView } from './content.ts';
import { type FirstRunOutputs, firstRunInputs } from './first-run.ts';
import type { HoldingsView } from './holdings.ts';
import { type JournalOutputs, journalInputs } from './journal.ts';
import { contentId, type LiveOutputs, liveInputs } from './live.ts';
import { type PortOutputs, portInputs } from './ports.ts';
import { type SettlementOutputs, type SettlementView, settlementInputs } from './settlements.ts';
import { type SharingOutputs, type SharingSummary, sharingInputs } from './sharing.ts';
import { type NavigateView, type ShellOutputs, type ShellView, shellInputs } from './shell.ts';
import { type TrafficNow, type TrafficOutputs, trafficInputs } from './traffic.ts';
import { type RepaymentView, type WalletOutputs, type WalletStateView, walletInputs } from './wallet.ts';

export interface LoanView {
  /** Account that served on credit. */
  readonly creditor: string;
  readonly units: number;
  readonly sinceMs: number;
  /** What repaying it would cost at the current price. */
  readonly priceXac: DecimalAmount;
}

export interface PriceView {
  readonly xacPerGb: DecimalAmount;
  readonly xatPerGb: DecimalAmount;
  /** XAC for 1 XAT, decimal with up to 7 digits. */
  readonly xacPerXat: string;
  /** GB per hour, decimal. */
  readonly trafficRateGbPerHour: string;
  /** The same and more as exact ratios of base units, `num/den`: what a quote is worked out from. */
  readonly exact: {
    readonly xacPerUnit: string;
    readonly xatPerUnit: string;
    readonly xacPerXat: string;
    readonly xacPerXas: string;
    /** traffic_user_payment_fee. */
    readonly trafficFee: string;
  };
  readonly asOfMs: number;
}

/** What traffic from one peer would cost this account now, and how it would be paid; see shared/economy/quote.ts. */
export interface TrafficQuoteView {
  readonly units: number;
  readonly priceXac: DecimalAmount;
  readonly priceXat: DecimalAmount;
  /** Units that the funds pay, that go on credit, that nothing covers. */
  readonly paidUnits: number;
  readonly creditUnits: number;
  readonly uncoveredUnits: number;
  /** What the payment takes: XAC as it is, XAT that is burned for XAC, XAS. */
  readonly fromXac: DecimalAmount;
  readonly fromXat: DecimalAmount;
  readonly fromXas: DecimalAmount;
  /** Of that, the fee; the rest goes to the peer. */
  readonly feeXac: DecimalAmount;
  readonly feeXas: DecimalAmount;
  readonly payeeXac: DecimalAmount;
  readonly payeeXas: DecimalAmount;
  readonly asOfMs: number;
}

/** What the node moves to what is spent by itself, and what keeps it from that. The rule is in the settings. */
export interface AutoTopUpView {
  readonly state:
    | 'off'
    /** There is enough to spend, or a deposit is under way. */
    | 'watching'
    /** One is due: it waits for the wallet to be opened, for the clock to be right, for the shard. */
    | 'locked'
    | 'clock'
    | 'waiting'
    /** One is due, and what is kept does not reach for it. */
    | 'main-empty'
    /** One is due, and the day's, or the month's, are used. */
    | 'day-used'
    | 'month-used';
  /** Moved by itself today and this month, by the computer's clock. */
  readonly dayXat: DecimalAmount;
  readonly monthXat: DecimalAmount;
  /** The newest; `null`: none yet. */
  readonly last: { readonly atMs: number; readonly amountXat: DecimalAmount } | null;
}

/** What services has paid, and what is on its way; XAC before fees. */
export interface SpentView {
  readonly dayXac: DecimalAmount;
  readonly monthXac: DecimalAmount;
  readonly onItsWayXac: DecimalAmount;
}

/** What the user allows the node, and what that does at this moment. */
export interface SettingsView {
  readonly settings: Limits;
  /** Why uploading or downloading stands still now. */
  readonly stops: readonly Stop[];
  /** Content and overhead of both directions, by the computer's clock. */
  readonly dataUsed: DataTotals;
  /** By the computer's clock: what spending limits count. */
  readonly spent: SpentView;
  /** Bytes of pieces on the disk: what `cacheBytes` limits. */
  readonly cacheUsedBytes: number;
}

export interface NodeSnapshot {
  readonly version: string;
  readonly networkId: string;
  /** This process runs the validator and the main chain of its own network. */
  readonly devnet: boolean;
  /** The network has a faucet, which gives away play money. */
  readonly faucet: boolean;
  readonly account: string;
  readonly peerId: string;
  readonly dataDir: string;
  readonly startedAtMs: number;
  readonly shard: {
    readonly connected: boolean;
    readonly shard: number;
    readonly multiaddr: string;
    /** Its own clock has jumped: it grants no lease until that is right again. */
    readonly clockJumped: boolean;
  };
  /** How far the clock of the node's computer is ahead of the shard's, negative when behind; `null` while it is right. */
  readonly clock: {
    readonly aheadMs: number;
    /** No channel is opened until it is right. */
    readonly stops: boolean;
  } | null;
  /** Shards that cheated, with what to do about each; mostly none. */
  readonly distrustedShards: readonly {
    readonly shard: number;
    readonly sinceMs: number;
    readonly message: string;
    /** In hex, for anyone to check; `null` where there is none. */
    readonly proof: string | null;
  }[];
  readonly multiaddrs: readonly string[];
  /** Where the pages and players reach this node; `null` before the server listens. */
  readonly pagesUrl: string | null;
  readonly peers: number;
  readonly holdings: HoldingsView;
  readonly credit: {
    readonly limitUnits: number;
    readonly usedUnits: number;
    /** Units that open channels may still use, out of funds and credit, settled or not: what they leave comes back. */
    readonly reservedUnits: number;
    readonly loans: readonly LoanView[];
  };
  /** Ticks held that no batch has settled yet: they lie in neither place. */
  readonly pending: {
    readonly earnedUnits: number;
    readonly earnedXac: DecimalAmount;
    readonly owedUnits: number;
    readonly owedXac: DecimalAmount;
  };
  /** What sharing brought today, and who owes this account. */
  readonly sharing: SharingSummary;
  readonly price: PriceView | null;
  readonly traffic: {
    readonly downBytesPerSecond: number;
    readonly upBytesPerSecond: number;
    /** Verified content bytes received, content bytes sent, since the node was made. */
    readonly downBytes: number;
    readonly upBytes: number;
    /** Bytes that carried payments, and all other protocol bytes, both directions, since the start. */
    readonly paymentBytes: number;
    readonly protocolBytes: number;
  };
  readonly transfers: readonly TransferView[];
  /** On the disk of the data directory; `null` where the system does not say. */
  readonly diskFreeBytes: number | null;
  readonly limits: SettingsView;
  readonly autoTopUp: AutoTopUpView;
  readonly settlementCount: number;
  /** Loans that were repaid lately, by whatever brought the funds; the newest first, ten at most. */
  readonly repayments: readonly RepaymentView[];
}

const decimalAmount = z
  .string()
  .refine(
    (text) => /^\d{1,12}(\.\d{1,7})?$/.test(text),
    because('amount', 'not an amount, write for example 0.25'),
  );

/** 1 PiB. */
export const MAX_QUOTE_UNITS = 2 ** 30;

/** Input of every procedure. */
export const inputs = {
  snapshot: z.object({}).strict(),
  contents: z.object({}).strict(),
  settlements: z
    .object({
      beforeSeq: z.number().int().positive().optional(),
      limit: z.number().int().min(1).max(500).default(50),
    })
    .strict(),
  channels: channelsInput,
  importFile: z
    .object({
      path: z.string().min(1).max(4096),
      name: z.string().min(1).max(255).optional(),
      copy: z.boolean().default(false),
      /** What access to it costs, in XAC; left out: nothing. Another price makes another content. */
      priceXac: z.string().min(1).max(40).optional(),
      /** Of the premium pool. */
      premium: z.boolean().optional(),
    })
    .strict(),
  /** What of a folder can be imported. */
  filesIn: z.object({ path: z.string().min(1).max(4096) }).strict(),
  deleteContent: z.object({ contentId, force: z.boolean().default(false) }).strict(),
  pinContent: z.object({ contentId, pinned: z.boolean() }).strict(),
  /** Whether the sharing of one title is paused. A piece that was begun is finished. */
  pauseContent: z.object({ contentId, paused: z.boolean() }).strict(),
  settings: z.object({}).strict(),
  /** What is left out stays as it is; `null` takes a limit away, 0 stops. */
  setSettings: limitsSchema.partial(),
  /**
   * `download`: `true` fetches everything, until `stop`; `while-taken` gives an address of bytes to keep, which fetches
   * everything for as long as somebody takes them.
   */
  play: z
    .object({ contentId, download: z.union([z.boolean(), z.literal('while-taken')]).default(false) })
    .strict(),
  stop: z.object({ contentId }).strict(),
  tracks: z.object({ contentId }).strict(),
  quote: z.object({ units: z.number().int().min(1).max(MAX_QUOTE_UNITS) }).strict(),
  /** Devnet only: the faucet gives XAT, or another token to try things with. They arrive in services; XAB, which pays nothing, in main. */
  topUp: z
    .object({ amountXat: decimalAmount, token: z.enum(TOKENS).optional(), place: z.enum(PLACES).optional() })
    .strict(),
  settleNow: z.object({}).strict(),
  shutdown: z.object({}).strict(),
  ...journalInputs,
  ...liveInputs,
  ...settlementInputs,
  ...sharingInputs,
  ...shellInputs,
  ...trafficInputs,
  ...portInputs,
  ...walletInputs,
  ...firstRunInputs,
} as const;

/** Output of every procedure. */
export interface Outputs
  extends LiveOutputs,
    JournalOutputs,
    SettlementOutputs,
    SharingOutputs,
    ShellOutputs,
    TrafficOutputs,
    PortOutputs,
    WalletOutputs,
    FirstRunOutputs {
  snapshot: NodeSnapshot;
  contents: readonly ContentView[];
  /** Newest first. */
  settlements: readonly SettlementView[];
  channels: ChannelsView;
  /** Served where it lies, as long as it is not changed; `copy` takes the bytes into the node, pinned. */
  importFile: ContentView;
  filesIn: FilesView;
  /** A download of it is stopped; while it is played that takes `force`. The user's own file is never deleted. */
  deleteContent: Record<string, never>;
  pinContent: ContentView;
  pauseContent: ContentView;
  settings: SettingsView;
  /** Holds at once. */
  setSettings: SettingsView;
  /** The URL serves the content with Range and fetches ahead of its readers; `download` fetches all of it. */
  play: { readonly content: ContentView; readonly playbackUrl: string };
  stop: { readonly stopped: boolean };
  /**
   * What a video has to see and to hear. It waits until a player has fetched the part of the file that says so, and
   * fetches nothing by itself; `null` when that part is not here in time or says nothing.
   */
  tracks: { readonly tracks: readonly TrackView[] | null };
  /** For any number of units; changes nothing. */
  quote: TrafficQuoteView;
  topUp: {
    readonly holdings: HoldingsView;
    readonly creditUsedUnits: number;
    /** Loans that it has repaid already. */
    readonly repaid: readonly RepaymentView[];
  };
  /** Hands every open claim to the shard now. */
  settleNow: { readonly claimedUnits: number };
  shutdown: Record<string, never>;
}

export type Procedure = keyof typeof inputs;
export type Input<P extends Procedure> = z.input<(typeof inputs)[P]>;
export type Output<P extends Procedure> = Outputs[P];

/** What the node tells by itself; a page needs no polling. */
export interface Feed {
  /** At most four times a second, whenever something in it changed. */
  snapshot: NodeSnapshot;
  /** New rows of the settlement history. */
  settlements: readonly SettlementView[];
  /** The library changed. */
  contents: readonly ContentView[];
  /** Every second, as long as the node runs. */
  traffic: TrafficNow;
  /** A file is being imported. */
  importing: { readonly path: string; readonly doneBytes: number; readonly sizeBytes: number };
  /** The desktop shell changed, or began to close; told to every loaded page first. Never over a WebSocket. */
  shell: ShellView;
  /** The desktop shell asks for a view. Never over a WebSocket. */
  navigate: NavigateView;
  /** The wallet was made, locked, unlocked, or protected anew. */
  wallet: WalletStateView;
}
export type FeedTopic = keyof Feed;
/** One message of the feed: a topic with what belongs to it. */
export type FeedMessage = {
  readonly [T in FeedTopic]: { readonly topic: T; readonly data: Feed[T] };
}[FeedTopic];
export type FeedListener = <T extends FeedTopic>(topic: T, data: Feed[T]) => void;
/** What to do with each topic; topics that are left out are passed over. */
export type FeedHandlers = { readonly [T in FeedTopic]?: (data: Feed[T]) => void };

/** A listener that hands every message to the handler of its topic. */
export function feedListener(handlers: FeedHandlers): FeedListener {
  return (topic, data) => handlers[topic]?.(data);
}

export interface RpcFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: Readonly<Record<string, string | number>>;
}

/** What both transports offer a page. */
export interface NodeClient {
  /** @throws AceError with the node's code */
  call<P extends Procedure>(procedure: P, input: Input<P>): Promise<Output<P>>;
  /** Every subscriber first gets a snapshot. The answer unsubscribes. */
  subscribe(listener: FeedListener): () => void;
  /** Whether the node can be reached; called at once and on every change. */
  onConnection(listener: (connected: boolean) => void): () => void;
}

/** Frames on the WebSocket, JSON. */
export type ClientFrame = { readonly id: number; readonly procedure: string; readonly input: unknown };
export type ServerFrame =
  | { readonly id: number; readonly output: unknown }
  | { readonly id: number; readonly error: RpcFailure }
  | { readonly topic: FeedTopic; readonly data: unknown };

/** Where pages in a browser send files to, which have no path there; see `main/players/upload.ts`. */
export const UPLOAD_PATH = '/import';

/** IPC method names of the Electron transport. */
export const IPC_CALL = 'ace:call';
export const IPC_FEED = 'ace:feed';
