import type { Database } from '../open.ts';

/** A channel on which statements bill more than was revealed there and the shard has shown a tick for. */
export interface OverbilledChannel {
  readonly channelId: Uint8Array;
  readonly billedUnits: number;
  /** Units that this node has revealed on it; `null` when it is no channel of this node. */
  readonly revealedUnits: number | null;
}

/** What signed statements bill on each channel that this account pays on. */
export class BilledChannelTable {
  readonly #add;
  readonly #prove;
  readonly #overbilled;

  constructor(db: Database) {
    this.#add = db.prepare(
      `INSERT INTO billed_channels (channel_id, billed_units) VALUES (?, ?)
       ON CONFLICT (channel_id) DO UPDATE SET billed_units = billed_units + excluded.billed_units`,
    );
    this.#prove = db.prepare(
      `UPDATE billed_channels SET proven_units = max(proven_units, ?) WHERE channel_id = ?`,
    );
    this.#overbilled = db.prepare<[], OverbilledChannel>(
      `SELECT b.channel_id AS channelId, billed_units AS billedUnits, revealed_units AS revealedUnits
       FROM billed_channels b LEFT JOIN payer_channels p USING (channel_id)
       WHERE billed_units > max(coalesce(revealed_units, 0), proven_units)`,
    );
  }

  /** A statement bills so many units more. */
  add(channelId: Uint8Array, units: number): void {
    this.#add.run(channelId, units);
  }

  /** The shard has shown the tick of so many units. */
  prove(channelId: Uint8Array, units: number): void {
    this.#prove.run(units, channelId);
  }

  overbilled(): OverbilledChannel[] {
    return this.#overbilled.all();
  }
}
