import { TRAFFIC_UNIT_BYTES, unitsForBytes } from '../../../shared/economy/units.ts';
import { splitUnits } from '../../../shared/settlement/shares.ts';
import type { Database } from '../open.ts';

/** A content that a channel carried. */
export interface ChannelContent {
  readonly contentId: string;
  /** `null` once the content was deleted. Another node's word. */
  readonly name: string | null;
  /** Verified and received, or sent. */
  readonly bytes: number;
}

/** Units of a channel, by the content that they were for. */
export interface ContentUnits {
  readonly contentId: string;
  readonly units: number;
}

/** Which contents each channel of either side carried: what a settlement was for. */
export class ChannelContentTable {
  readonly #add;
  readonly #of;
  readonly #shares;
  readonly #settle;

  constructor(db: Database) {
    this.#add = db.prepare<[{ channelId: Uint8Array; contentId: string; bytes: number }]>(
      `INSERT INTO channel_contents (channel_id, content_id, bytes)
       VALUES (@channelId, coalesce((SELECT broadcast FROM live_contents WHERE content_id = @contentId), @contentId),
         @bytes)
       ON CONFLICT (channel_id, content_id) DO UPDATE SET bytes = bytes + excluded.bytes`,
    );
    this.#of = db.prepare<[Uint8Array, number], ChannelContent>(
      `SELECT content_id AS contentId, bytes,
         coalesce((SELECT name FROM contents c WHERE c.content_id = l.content_id),
           (SELECT name FROM broadcasts b WHERE b.content_id = l.content_id)) AS name
       FROM channel_contents l WHERE channel_id = ? ORDER BY bytes DESC, content_id LIMIT ?`,
    );
    this.#shares = db.prepare<[Uint8Array], { contentId: string; bytes: number; settledUnits: number }>(
      `SELECT content_id AS contentId, bytes, settled_units AS settledUnits
       FROM channel_contents WHERE channel_id = ? ORDER BY bytes DESC, content_id`,
    );
    this.#settle = db.prepare<[number, Uint8Array, string]>(
      `UPDATE channel_contents SET settled_units = settled_units + ? WHERE channel_id = ? AND content_id = ?`,
    );
  }

  /**
   * Units of a channel that nothing has taken up yet, by content: in the proportion of what each has carried and not
   * settled. Empty where this node does not know what the channel carried.
   */
  unsettled(channelId: Uint8Array, units: number): ContentUnits[] {
    const carried = this.#shares.all(channelId);
    const weights = carried.map(({ bytes, settledUnits }) =>
      Math.max(0, bytes - settledUnits * TRAFFIC_UNIT_BYTES),
    );
    const known = weights.some((weight) => weight > 0);
    const shares = splitUnits(units, known ? weights : carried.map(({ bytes }) => unitsForBytes(bytes)));
    return carried.map(({ contentId }, i) => ({ contentId, units: shares[i] ?? 0 }));
  }

  /** The same, and takes them up. */
  settle(channelId: Uint8Array, units: number): ContentUnits[] {
    const shares = this.unsettled(channelId, units);
    for (const share of shares)
      if (share.units > 0) this.#settle.run(share.units, channelId, share.contentId);
    return shares;
  }

  /** A segment of a broadcast counts for the broadcast. */
  add(channelId: Uint8Array, contentId: string, bytes: number): void {
    this.#add.run({ channelId, contentId, bytes });
  }

  /** Those with most bytes first. */
  of(channelId: Uint8Array, limit: number): ChannelContent[] {
    return this.#of.all(channelId, limit);
  }
}
