/**
 * The one contract between the node and whoever drives it: pages (over Electron IPC or a WebSocket on loopback) and
 * the command line. Amounts are decimal token strings with 7 decimals, times are milliseconds since 1970 UTC, traffic
 * is bytes or traffic units as the name says. Inputs are checked at the boundary with these schemas.
 */
import { z } from 'zod';
import type { ErrorCode } from './errors.ts';
import type { Token } from './money.ts';

/** A decimal token string, such as "0.2000000". */
export type DecimalAmount = string;

export interface LoanView {
  /** Account that served on credit. */
  readonly creditor: string;
  readonly units: number;
  readonly sinceMs: number;
  /** What repaying it would cost at the price of this moment. */
  readonly priceXac: DecimalAmount;
}

export interface PriceView {
  readonly xacPerGb: DecimalAmount;
  readonly xatPerGb: DecimalAmount;
  /** XAC for 1 XAT, decimal with up to 7 digits. */
  readonly xacPerXat: string;
  /** GB per hour, decimal. */
  readonly trafficRateGbPerHour: string;
  readonly asOfMs: number;
}

/** One content that is being fetched, or was since the node started. */
export interface TransferView {
  readonly contentId: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly haveBytes: number;
  readonly state: 'connecting' | 'fetching' | 'paused' | 'done' | 'failed';
  /** Why it is paused or failed; pages translate the code. */
  readonly reason: { readonly code: ErrorCode; readonly message: string } | null;
  /** Account of the provider in use. */
  readonly provider: string | null;
  /** The last provider that would not send another MiB for want of a payment, and how it said so. */
  readonly refusal: { readonly provider: string; readonly code: string } | null;
  readonly downBytesPerSecond: number;
  /** Time with requests under way since the node started: received bytes over it is the speed. */
  readonly fetchingMs: number;
  /** Units paid by ticks for this content since the node started. */
  readonly paidUnits: number;
  /** What these units cost at the price of this moment; settlement decides the exact figure. */
  readonly costXac: DecimalAmount;
}

export interface ContentView {
  readonly contentId: string;
  readonly name: string;
  readonly mimeType: string;
  readonly sizeBytes: number;
  readonly haveBytes: number;
  readonly origin: 'imported' | 'fetched' | 'offered';
  readonly addedAtMs: number;
  /** Units that others paid this node for it. */
  readonly servedUnits: number;
}

export interface SettlementView {
  /** Position in this node's history, ascending. */
  readonly seq: number;
  readonly shard: number;
  readonly batchNumber: number;
  /** Hash of the batch, hex. */
  readonly batchHash: string;
  readonly atMs: number;
  readonly direction: 'paid' | 'earned';
  /** The other account. */
  readonly counterparty: string;
  /** Consumed units paid from funds, taken on credit, refused; and loan units repaid. */
  readonly paidUnits: number;
  readonly creditUnits: number;
  readonly refusedUnits: number;
  readonly repaidUnits: number;
  /** What the payer gave, before the fee. */
  readonly grossXac: DecimalAmount;
  readonly feeXac: DecimalAmount;
  readonly netXac: DecimalAmount;
  readonly xatBurned: DecimalAmount;
  readonly xasPaid: DecimalAmount;
  readonly xacPerGb: DecimalAmount;
}

export interface NodeSnapshot {
  readonly version: string;
  readonly networkId: string;
  /** This process runs the validator and the main chain of its own network. */
  readonly devnet: boolean;
  readonly account: string;
  readonly peerId: string;
  readonly dataDir: string;
  readonly startedAtMs: number;
  readonly shard: { readonly connected: boolean; readonly shard: number; readonly multiaddr: string };
  readonly multiaddrs: readonly string[];
  /** Where the pages and players reach this node; `null` before the server listens. */
  readonly pagesUrl: string | null;
  readonly peers: number;
  readonly balances: Readonly<Record<Token, DecimalAmount>>;
  readonly credit: {
    readonly limitUnits: number;
    readonly usedUnits: number;
    readonly loans: readonly LoanView[];
  };
  /** Ticks held that no batch has settled yet: not part of any balance. */
  readonly pending: {
    readonly earnedUnits: number;
    readonly earnedXac: DecimalAmount;
    readonly owedUnits: number;
    readonly owedXac: DecimalAmount;
  };
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
  readonly settlementCount: number;
}

const contentId = z.string().regex(/^(?:ace:|acestream:)?(?:\/\/)?[a-z2-7]{20,120}$/i, 'not a content id');
const decimalAmount = z.string().regex(/^\d{1,12}(\.\d{1,7})?$/, 'not an amount, write for example 0.25');

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
  importFile: z
    .object({ path: z.string().min(1).max(4096), name: z.string().min(1).max(255).optional() })
    .strict(),
  play: z.object({ contentId, download: z.boolean().default(false) }).strict(),
  stop: z.object({ contentId }).strict(),
  topUp: z.object({ amountXat: decimalAmount }).strict(),
  settleNow: z.object({}).strict(),
  shutdown: z.object({}).strict(),
} as const;

/** Output of every procedure. */
export interface Outputs {
  snapshot: NodeSnapshot;
  contents: readonly ContentView[];
  /** Newest first. */
  settlements: readonly SettlementView[];
  importFile: ContentView;
  /** The URL serves the content with Range and fetches ahead of whoever reads; `download` fetches all of it. */
  play: { readonly content: ContentView; readonly playbackUrl: string };
  stop: { readonly stopped: boolean };
  topUp: { readonly balances: Readonly<Record<Token, DecimalAmount>>; readonly creditUsedUnits: number };
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
  /** A file is being imported. */
  importing: { readonly path: string; readonly doneBytes: number; readonly sizeBytes: number };
}
export type FeedTopic = keyof Feed;

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
  subscribe(listener: <T extends FeedTopic>(topic: T, data: Feed[T]) => void): () => void;
  /** Whether the node can be reached; called at once and on every change. */
  onConnection(listener: (connected: boolean) => void): () => void;
}

/** Frames on the WebSocket, JSON. */
export type ClientFrame = { readonly id: number; readonly procedure: string; readonly input: unknown };
export type ServerFrame =
  | { readonly id: number; readonly output: unknown }
  | { readonly id: number; readonly error: RpcFailure }
  | { readonly topic: FeedTopic; readonly data: unknown };

/** IPC method names of the Electron transport. */
export const IPC_CALL = 'ace:call';
export const IPC_FEED = 'ace:feed';
