/** What a peer reports to the node that runs it. */
import { EventEmitter } from 'node:events';
import type { SettlementRow } from '../db/node/settlements.ts';

export interface PeerEventMap {
  /** Some figure of it may be another now. Often: listeners bound their own work. */
  change: [];
  /** A content or a broadcast was added, removed or is another now. */
  contents: [];
  /** Settlements were booked. */
  settlements: [rows: readonly SettlementRow[]];
}

export class PeerEvents extends EventEmitter<PeerEventMap> {
  readonly changed = (): void => {
    this.emit('change');
  };
  readonly contentsChanged = (): void => {
    this.emit('contents');
  };
}
