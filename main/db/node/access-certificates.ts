import type { SignedAccess } from '../../../shared/settlement/access-certificate.ts';
import type { Database } from '../open.ts';

/** Access that this account has bought, as its home shard certified it. */
export class AccessCertificateTable {
  readonly #get;
  readonly #put;

  constructor(db: Database) {
    this.#get = db.prepare<[string, string], SignedAccess>(
      `SELECT record, signature FROM access_certificates WHERE content_id = ? AND seller = ?`,
    );
    this.#put = db.prepare(
      `REPLACE INTO access_certificates (content_id, seller, record, signature) VALUES (?, ?, ?, ?)`,
    );
  }

  get(contentId: string, seller: string): SignedAccess | null {
    return this.#get.get(contentId, seller) ?? null;
  }

  put(contentId: string, seller: string, { record, signature }: SignedAccess): void {
    this.#put.run(contentId, seller, record, signature);
  }
}
