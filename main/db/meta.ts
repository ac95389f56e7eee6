import type { Database } from './open.ts';

/** What the meta table of a database may hold, all as text. A database has the keys of its role only. */
export type MetaKey =
  /** Id of the network that the books are of. Node and validator; never changes. */
  | 'network'
  /** Address of the account that the books are of. Node; never changes. */
  | 'account'
  /** What the shard said of itself when this node met it last: dag-cbor in base64, for a start without it. Node. */
  | 'hello'
  /** What the home shard said of the account last: dag-cbor in base64, shown until it is met again. Node. */
  | 'picture'
  /** Peers that this node knows from before, as `known-peers.ts` writes them. Node. */
  | 'peers'
  /** Port of the HTTP server at the last start, for addresses that encoders and players keep. Node. */
  | 'httpPort'
  /** Devices of the account that this node has met: public keys in hex, with commas between. Node. */
  | 'knownDevices'
  /** Minutes after which an unused wallet locks itself; `never`. Node. */
  | 'walletLockAfterMinutes'
  /** `never`: the device's key is not kept for starts while the wallet is locked; `yes`. Node. */
  | 'walletKeepsDevice'
  /** When a backup was made last, milliseconds. Node. */
  | 'walletBackupAtMs'
  /** Units earned on channels that the restored backup left out, because they were settled. Node. */
  | 'settledBeforeEarned'
  /** The same, units paid. Node. */
  | 'settledBeforePaid'
  /** The last settlement that is in the sums of days. Node. */
  | 'settlementDaysUntil'
  /** What the main chain said of itself when it was met last: dag-cbor in base64, for a start without it. Validator. */
  | 'chain';

/** Small facts about a database, such as which network and account it belongs to. */
export class MetaTable {
  readonly #get;
  readonly #set;

  constructor(db: Database) {
    this.#get = db.prepare<[MetaKey], string>(`SELECT value FROM meta WHERE key = ?`).pluck();
    this.#set = db.prepare<[MetaKey, string]>(
      `INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
    );
  }

  get(key: MetaKey): string | null {
    return this.#get.get(key) ?? null;
  }

  set(key: MetaKey, value: string): void {
    this.#set.run(key, value);
  }
}
