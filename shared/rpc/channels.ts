/** What the procedure `channels` tells: payment channels of both directions, as both sides' books and the shard say. */

import { z } from 'zod';
import type { ChannelStatus } from '../channel/lifecycle.ts';

export interface ChannelView {
  /** SHA-256 of the channel's terms, hex. */
  readonly channelId: string;
  /** `paying`: this account pays; `earning`: it is paid. */
  readonly direction: 'paying' | 'earning';
  /** The other account. */
  readonly counterparty: string;
  /** As `shared/channel/lifecycle.ts` explains them. */
  readonly state: ChannelStatus;
  readonly capacityUnits: number;
  /** Content bytes sent, or received and verified, and what they are worth in units. */
  readonly servedBytes: number;
  readonly servedUnits: number;
  /** Units paid by ticks. Of them: settled by the main chain, and not yet. */
  readonly paidUnits: number;
  readonly settledUnits: number;
  readonly pendingUnits: number;
  /** What the pending units are worth at the current price, before the fee; `null` while no price is known. */
  readonly pendingXac: string | null;
  /** Units that the shard bills beyond what was paid here: it cheats. 0 as a rule. */
  readonly overbilledUnits: number;
  readonly openedAtMs: number;
  readonly expiresAtMs: number;
  /** What was carried: a payee knows it from the last checkpoint. `null` while nothing is known. */
  readonly kind: 'video' | 'other' | 'mixed' | null;
  readonly checkpoint: {
    readonly number: number;
    readonly units: number;
    readonly bytes: number;
    readonly watchMs: number;
    readonly final: boolean;
    readonly countersigned: boolean;
  } | null;
}

/** All channels with one account in one direction. */
export interface CounterpartyView {
  readonly direction: ChannelView['direction'];
  readonly counterparty: string;
  readonly channels: number;
  readonly servedBytes: number;
  readonly paidUnits: number;
  readonly settledUnits: number;
  readonly pendingUnits: number;
  readonly pendingXac: string | null;
  /** What settlements moved so far, repaid loans included: what the payer gave, and what the payee got of it. */
  readonly grossXac: string;
  readonly netXac: string;
}

/** Traffic of one content, between own devices included. */
export interface ContentTrafficView {
  readonly contentId: string;
  readonly name: string;
  readonly receivedBytes: number;
  readonly servedBytes: number;
}

export interface ChannelsView {
  /** Newest first. */
  readonly channels: readonly ChannelView[];
  /** Give it as `after` for the next page; `null` at the end. */
  readonly next: string | null;
  /** All there are, on all pages. */
  readonly count: number;
  /** Those with most paid units first, 1,000 at most. */
  readonly counterparties: readonly CounterpartyView[];
  /** Contents with any traffic. */
  readonly contents: readonly ContentTrafficView[];
}

export const MAX_CHANNELS_PAGE = 500;

export const channelsInput = z
  .object({
    after: z
      .string()
      .regex(/^\d{1,16}-[0-9a-f]{64}$/, 'not the end of a page')
      .optional(),
    limit: z.number().int().min(1).max(MAX_CHANNELS_PAGE).default(100),
  })
  .strict();
