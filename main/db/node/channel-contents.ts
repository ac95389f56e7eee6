import type { Database } from '../open.ts';

/** A content that a channel carried. */
export interface ChannelContent {
  readonly contentId: string;
  /** `null` once the content was deleted. Another node's word. */
  readonly name: string | null;
  /** Verified and received, or sent. */
  readonly bytes: number;
}

/** Which contents each channel of either side carried: what a settlement was for. */
export class ChannelContentTable {
  readonly #add;
  readonly #of;

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
