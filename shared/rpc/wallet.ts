/**
 * The wallet's part of the contract: first run, lock, devices, and what an account signs. Passphrases and phrases go in;
 * a phrase comes out in the answers of `walletCreate` and `walletPhrase` only, for the one screen that shows it.
 *
 * Amounts, addresses and phrases are taken as text and checked by the node, which says what is wrong with them. A quote
 * changes nothing; it holds until its `expiresAtMs`, which the call that acts on it hands back.
 */
import { z } from 'zod';
import { PLACES, type Place, SERVICES_TOKENS } from '../economy/holdings.ts';
import { type DecimalAmount, TOKENS, type Token } from '../economy/money.ts';
import type { HoldingsView } from './holdings.ts';

export const MIN_PASSPHRASE_LENGTH = 8;
export const MAX_PASSPHRASE_LENGTH = 1_000;
/** Without an operation for this long an unlocked wallet locks itself. */
export const DEFAULT_LOCK_AFTER_MINUTES = 15;
export const MAX_LOCK_AFTER_MINUTES = 7 * 24 * 60;
/** How long a quote holds. */
export const QUOTE_LIFE_MS = 60_000;
/** A backup of this size still goes to a page and comes from one; a larger one is a file on the node's computer. */
export const MAX_CARRIED_BACKUP_BYTES = 700_000;

export type WalletStatus =
  /** There is no wallet yet: only the procedures of first run answer. */
  | 'none'
  /** It has a passphrase, which this node was not given, or not lately. */
  | 'locked'
  | 'unlocked'
  /** It is kept without a passphrase: for devnets only. Never locked. */
  | 'plain'
  /** This device has no phrase, only a certificate of its account: it streams and is paid, and signs no operation. */
  | 'device';

export interface WalletStateView {
  readonly status: WalletStatus;
  /** The node runs: all other procedures answer. While a wallet is missing, or locked since the start, they do not. */
  readonly running: boolean;
  /** Why the node did not start with its wallet, when it was tried; `walletUnlock` or `walletStart` tries again. */
  readonly failure: { readonly code: string; readonly message: string } | null;
  /** EIP-55; `null` where it is not known before the wallet is open. */
  readonly address: string | null;
  /** `system`: a passphrase that only the operating system's key store knows. */
  readonly protection: 'passphrase' | 'system' | 'none' | null;
  /** The operating system keeps the passphrase: the node starts without asking. */
  readonly remembered: boolean;
  /** Where the device's key is kept for starts while the wallet is locked: then the node runs, and signs no operation. */
  readonly deviceKept: 'system' | 'file' | null;
  /** Whether it could, and why not: such as that this desktop has no real key store. */
  readonly systemStore: { readonly usable: boolean; readonly why: string | null };
  /** An unlocked wallet locks itself after this long without an operation; `null`: never. */
  readonly lockAfterMinutes: number | null;
  readonly locksAtMs: number | null;
  /** The phrase was shown and confirmed, or typed in: the user can restore it. */
  readonly phraseConfirmed: boolean;
  readonly lastBackupAtMs: number | null;
}

export interface RepaymentView {
  /** Position in the history of settlements. */
  readonly seq: number;
  readonly shard: number;
  readonly shardSeq: number;
  readonly batchNumber: number;
  readonly atMs: number;
  /** Who was repaid. */
  readonly creditor: string;
  readonly units: number;
  /** What these units cost at the price of that moment, before the fee, which comes out of what the creditor gets. */
  readonly costXac: DecimalAmount;
  readonly xacPerGb: DecimalAmount;
}

/** What an operation would do, computed by the rules that will do it. */
export interface OperationQuoteView {
  readonly kind: 'transfer' | 'deposit' | 'withdraw' | 'mint' | 'swap' | 'access';
  /** What leaves the account, token by token; of these burned: XAB of a mint, XAT of a payment. */
  readonly gives: readonly {
    readonly token: Token;
    readonly amount: DecimalAmount;
    readonly place: Place;
    readonly burned: boolean;
  }[];
  /** What comes to the account. */
  readonly gets: readonly { readonly token: Token; readonly amount: DecimalAmount; readonly place: Place }[];
  /** Part of what is given; of a swap it stays in the exchange. */
  readonly fees: readonly { readonly token: Token; readonly amount: DecimalAmount }[];
  /** Loans that are repaid right after it, oldest first, because there are funds again. */
  readonly repays: readonly {
    readonly creditor: string;
    readonly units: number;
    readonly stillOwedUnits: number;
    readonly costXac: DecimalAmount;
    /** What of it is XAC as it is, XAT burned for XAC, XAS. */
    readonly fromXac: DecimalAmount;
    readonly fromXat: DecimalAmount;
    readonly fromXas: DecimalAmount;
  }[];
  readonly creditUsedAfterUnits: number;
  /** After the operation and the repayments. */
  readonly holdingsAfter: HoldingsView;
  readonly asOfMs: number;
  readonly expiresAtMs: number;
}

export interface SendQuoteView extends OperationQuoteView {
  /** EIP-55. */
  readonly to: string;
  /** The network knows the account. A new one is not seen, and neither is an address with a typo. */
  readonly isSeen: boolean;
}

export interface MintQuoteView extends OperationQuoteView {
  readonly costXab: DecimalAmount;
  /** XAB for 1 XAT: trafficRate × trafficPriceUSD / aceBytePriceUSD. */
  readonly xabPerXat: DecimalAmount;
  /** The most it may cost when it is booked; hand it back to `mint`. */
  readonly maxXab: DecimalAmount;
}

export interface SwapQuoteView extends OperationQuoteView {
  readonly received: DecimalAmount;
  /** Less than this, and nothing happens; hand it back to `swap`. */
  readonly leastReceived: DecimalAmount;
  /** What 1 token sold gets in this swap, decimal. */
  readonly rate: string;
  /** What it would get if the amount moved no price and there were no fee. */
  readonly spotRate: string;
  /** How much of it the amount itself costs, percent, two decimals. */
  readonly priceImpactPercent: string;
  readonly slippagePercent: string;
}

export interface AccessQuoteView extends OperationQuoteView {
  readonly to: string;
  readonly contentId: string;
  readonly priceXac: DecimalAmount;
  /** How it is paid: XAC as it is, XAT burned for XAC, XAS. */
  readonly fromXac: DecimalAmount;
  readonly fromXat: DecimalAmount;
  readonly fromXas: DecimalAmount;
  readonly premium: boolean;
  /** What the purchase lasts; 0: for ever. */
  readonly lastsMs: number;
  /** What the seller gets of it, after the fee. */
  readonly sellerXac: DecimalAmount;
  readonly sellerXas: DecimalAmount;
}

export interface OperationResultView {
  /** Position in the main chain's log, and EIP-712 hash, 0x-hex. */
  readonly height: number;
  readonly hash: string;
  /** What came to this account by it; `null` where the shard has not told it yet. */
  readonly got:
    | readonly { readonly place: Place; readonly token: Token; readonly amount: DecimalAmount }[]
    | null;
  readonly holdings: HoldingsView;
  readonly creditUsedUnits: number;
  /** Loans that it has repaid already. */
  readonly repaid: readonly RepaymentView[];
}

export interface DeviceView {
  /** Ed25519, 64 hex digits. */
  readonly device: string;
  readonly peerId: string;
  readonly thisDevice: boolean;
  /** `unnamed`: no operation of the account names it; its certificate alone lets it act. */
  readonly state: 'linked' | 'unlinked' | 'unnamed';
}

const none = z.object({}).strict();
const text = (max: number) => z.string().max(max);
const passphrase = text(MAX_PASSPHRASE_LENGTH);
/** `null`: no passphrase of one's own. The system's key store keeps one where it can; elsewhere only on a devnet. */
const newPassphrase = z
  .string()
  .min(MIN_PASSPHRASE_LENGTH, `a passphrase has ${MIN_PASSPHRASE_LENGTH} characters or more`)
  .max(MAX_PASSPHRASE_LENGTH, `a passphrase has ${MAX_PASSPHRASE_LENGTH} characters at most`)
  .nullable();
const remember = z.boolean().default(false);
const token = z.enum(TOKENS);
const amount = text(60);
const address = text(100);
const expiresAtMs = z.number().int().nonnegative();
const lockAfterMinutes = z.number().int().min(1).max(MAX_LOCK_AFTER_MINUTES).nullable();
const path = z.string().min(1).max(4_096);
const base64 = z.string().max(Math.ceil(MAX_CARRIED_BACKUP_BYTES / 3) * 4 + 4);

/** `place`: where it arrives at the receiver. */
const send = { to: address, token, amount, place: z.enum(PLACES).default('main') };
const move = { token: z.enum(SERVICES_TOKENS), amount };
const swap = { sell: token, buy: token, amount };
const access = {
  to: address,
  contentId: text(200),
  priceXac: amount,
  premium: z.boolean().default(false),
  /** 0: for ever. */
  lastsMs: z.number().int().nonnegative().default(0),
};

export const walletInputs = {
  walletState: none,
  /** Makes a phrase and keeps it in memory, for a quarter of an hour, until `walletConfirm` saves it. */
  walletCreate: z.object({ words: z.union([z.literal(12), z.literal(24)]).default(12) }).strict(),
  /** The words at the positions that `walletCreate` asked for. */
  walletConfirm: z
    .object({
      words: z
        .array(z.object({ position: z.number().int().min(1).max(24), word: text(40) }).strict())
        .max(24),
      passphrase: newPassphrase,
      remember,
    })
    .strict(),
  walletRestore: z.object({ phrase: text(1_000), passphrase: newPassphrase, remember }).strict(),
  /** A backup file on the node's computer, or its content; its passphrase becomes the wallet's. */
  walletRestoreBackup: z
    .object({ path: path.optional(), base64: base64.optional(), passphrase, remember })
    .strict(),
  /** Another passphrase for the wallet that is here, whose own is forgotten: by the phrase of the same account. */
  walletResetPassphrase: z
    .object({ phrase: text(1_000), passphrase: newPassphrase.unwrap(), remember })
    .strict(),
  /** A second device of an account, without its phrase: the certificate that `deviceLink` gave on the first. */
  walletJoin: z.object({ certificate: text(2_000), passphrase: newPassphrase, remember }).strict(),
  /** Tries again to start the node with the wallet that is there. */
  walletStart: none,
  /** Starts a node that waits for it, or lets an account sign operations again. */
  walletUnlock: z.object({ passphrase, lockAfterMinutes: lockAfterMinutes.optional(), remember }).strict(),
  walletLock: none,
  /** `current` is `null` for a wallet without one; `next` is never. */
  walletChangePassphrase: z
    .object({ current: passphrase.nullable(), next: newPassphrase.unwrap(), remember })
    .strict(),
  walletLockAfter: z.object({ lockAfterMinutes }).strict(),
  /** Whether the device's key is kept, so that the node runs after a restart before the wallet is unlocked. */
  walletKeepDevice: z.object({ keep: z.boolean() }).strict(),
  /** The phrase, once more. The passphrase is asked for even while the wallet is unlocked. */
  walletPhrase: z.object({ passphrase: passphrase.nullable() }).strict(),
  /**
   * An encrypted file of wallet and channels; without `path` it comes with the answer. A wallet that has a passphrase
   * takes its own, one that has none gets one for the file. An earlier backup at `path` is written over with `replace`
   * only, any other file never.
   */
  walletBackup: z.object({ path: path.optional(), passphrase, replace: z.boolean().default(false) }).strict(),

  receive: none,
  repayments: z.object({ limit: z.number().int().min(1).max(500).default(20) }).strict(),
  quoteSend: z.object(send).strict(),
  send: z.object({ ...send, expiresAtMs }).strict(),
  /** Between the account's own places. */
  quoteDeposit: z.object(move).strict(),
  deposit: z.object({ ...move, expiresAtMs }).strict(),
  quoteWithdraw: z.object(move).strict(),
  withdraw: z.object({ ...move, expiresAtMs }).strict(),
  quoteMint: z.object({ amountXat: amount }).strict(),
  mint: z.object({ amountXat: amount, maxXab: amount, expiresAtMs }).strict(),
  quoteSwap: z.object({ ...swap, slippagePercent: text(20).default('1') }).strict(),
  swap: z.object({ ...swap, leastReceived: amount, expiresAtMs }).strict(),
  /** What is left out is as the title's own file, or its broadcast, says. */
  quoteAccess: z.object({ ...access, to: address.optional(), priceXac: amount.optional() }).strict(),
  buyAccess: z.object({ ...access, expiresAtMs }).strict(),

  devices: none,
  /** What a second device shows to the first: its public key. Answers before there is a wallet, too. */
  deviceRequest: none,
  /** `device`: what `deviceRequest` said there. */
  deviceLink: z.object({ device: text(200) }).strict(),
  deviceUnlink: z.object({ device: text(200) }).strict(),
} as const;

export interface WalletOutputs {
  walletState: WalletStateView;
  walletCreate: {
    readonly phrase: string;
    /** Positions, from 1, of the words to type back. */
    readonly confirmPositions: readonly number[];
    readonly expiresAtMs: number;
  };
  walletConfirm: WalletStateView;
  walletRestore: WalletStateView;
  walletRestoreBackup: WalletStateView & {
    readonly restored: {
      readonly createdAtMs: number;
      /** Channels on which the account was paid, and what of them is to be claimed yet. */
      readonly earningChannels: number;
      readonly unclaimedUnits: number;
      /** Channels on which it paid: never paid on again; what is free of them comes back by itself. */
      readonly payingChannels: number;
    };
  };
  walletResetPassphrase: WalletStateView & {
    /** The device's key was lost with the passphrase: channels of before are claimed, and not paid on again. */
    readonly newDevice: boolean;
  };
  walletJoin: WalletStateView;
  walletStart: WalletStateView;
  walletUnlock: WalletStateView;
  walletLock: WalletStateView;
  walletChangePassphrase: WalletStateView;
  walletLockAfter: WalletStateView;
  walletKeepDevice: WalletStateView;
  walletPhrase: { readonly phrase: string };
  walletBackup: {
    readonly path: string | null;
    readonly fileName: string;
    readonly base64: string | null;
    readonly sizeBytes: number;
  };

  receive: { readonly address: string };
  /** Newest first. */
  repayments: readonly RepaymentView[];
  quoteSend: SendQuoteView;
  send: OperationResultView;
  quoteMint: MintQuoteView;
  mint: OperationResultView;
  quoteDeposit: OperationQuoteView;
  deposit: OperationResultView;
  quoteWithdraw: OperationQuoteView;
  withdraw: OperationResultView;
  quoteSwap: SwapQuoteView;
  swap: OperationResultView;
  quoteAccess: AccessQuoteView;
  buyAccess: OperationResultView;

  devices: readonly DeviceView[];
  deviceRequest: { readonly device: string; readonly peerId: string };
  /** What the other device takes with `walletJoin`. */
  deviceLink: OperationResultView & { readonly certificate: string };
  deviceUnlink: OperationResultView;
}
