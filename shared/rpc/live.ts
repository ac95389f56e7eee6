/** What the procedures about live broadcasts take and tell. */
import { z } from 'zod';

/** What a content is besides, when it is a live broadcast. */
export interface LiveView {
  /** This node makes it. */
  readonly own: boolean;
  /** Its broadcaster has ended it. */
  readonly ended: boolean;
  /** When this node heard last of something of it that can still be watched; `null` when there is nothing. */
  readonly heardAtMs: number | null;
}

/** Nothing was heard of a broadcast for so long: a node that was away at its end has no other sign of that. */
const QUIET_MS = 2 * 60_000;

/** Whether it is to be called live. One's own is until it is ended, however long its encoder rests. */
export function isOnAir({ own, ended, heardAtMs }: LiveView, nowMs: number): boolean {
  if (ended) return false;
  return own || (heardAtMs !== null && nowMs - heardAtMs < QUIET_MS);
}

/** A broadcast that this node makes. */
export interface BroadcastView {
  readonly contentId: string;
  readonly name: string;
  /** Where an encoder pushes its playlist to; secret, and of this machine only. `null` before the server listens. */
  readonly pushUrl: string | null;
  /** That an encoder writes to instead. */
  readonly folder: string | null;
  readonly ended: boolean;
  readonly startedAtMs: number;
  /** Segments so far. */
  readonly segments: number;
  /** When the last one was published; `null` before the first, and once it has left the window. */
  readonly lastSegmentAtMs: number | null;
  /** Of the segments in the window. */
  readonly bitsPerSecond: number;
  /** Units that others paid this node for it. */
  readonly servedUnits: number;
}

/** A year. */
const MAX_LASTS_MS = 366 * 24 * 3_600_000;

/** As a user pastes it; `parseContentId` of the node takes it apart. */
export const contentId = z
  .string()
  .regex(/^(?:ace:|acestream:)?(?:\/\/)?[a-z2-7]{20,120}$/i, 'not a content id');

export const liveInputs = {
  broadcasts: z.object({}).strict(),
  startBroadcast: z
    .object({
      name: z.string().min(1).max(200),
      folder: z.string().min(1).max(4096).optional(),
      /** What access costs from now on, in XAC; left out: as before, or nothing. */
      priceXac: z.string().min(1).max(40).optional(),
      /** What one purchase lasts; left out: a day and a night. */
      lastsMs: z.number().int().min(60_000).max(MAX_LASTS_MS).optional(),
      premium: z.boolean().optional(),
    })
    .strict(),
  endBroadcast: z.object({ contentId }).strict(),
} as const;

export interface LiveOutputs {
  /** Oldest first, ended ones too. */
  broadcasts: readonly BroadcastView[];
  /** Goes on with the broadcast of that name, unless it has ended. */
  startBroadcast: BroadcastView;
  /** For good: viewers are told, and a broadcast that has ended takes nothing more. */
  endBroadcast: BroadcastView;
}
