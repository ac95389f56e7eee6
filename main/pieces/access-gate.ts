/**
 * Who may have pieces of what is sold (docs/economy.md#access): who has bought it, its seller, and nobody else. A viewer
 * shows its home shard's certificate, which is checked with the key in the network's settings: nobody is asked. Who only
 * passes on what it has bought itself checks the same.
 */
import { LRUCache } from 'lru-cache';
import type { NetworkSettings } from '../../shared/economy/settings.ts';
import { fromHex } from '../../shared/hex.ts';
import { homeShard } from '../../shared/home-shard.ts';
import {
  type AccessCertificate,
  type AccessObstacle,
  accessEndMs,
  decodeAccess,
  isSignedAccess,
  type SignedAccess,
} from '../../shared/settlement/access-certificate.ts';
import type { SoldTerms } from '../content/sold-terms.ts';
import { sha256 } from '../util/sha256.ts';
import { verifyDevice } from '../wallet/device.ts';
import { MAX_SHOWN } from './constants.ts';

export interface AccessGateContext {
  readonly settings: Pick<NetworkSettings, 'networkId' | 'validatorKeys'>;
  readonly sold: Pick<SoldTerms, 'of'>;
  readonly nowMs: () => number;
  /** Clocks may be apart by so much: an end is refused as late, and no later than one purchase lasts. */
  readonly toleranceMs: number;
}

/** Certificates whose signature was checked, by hash: a viewer shows them on every stream. */
const MAX_CHECKED = 4_096;

export class AccessGate {
  readonly #context: AccessGateContext;
  readonly #checked = new LRUCache<string, { readonly access: AccessCertificate | null }>({
    max: MAX_CHECKED,
  });

  constructor(context: AccessGateContext) {
    this.#context = context;
  }

  /** Of one stream, whose viewer is of `account`. */
  visitor(account: string): AccessVisitor {
    return new AccessVisitor(this, account);
  }

  /** What has to be shown for it; `null` when anybody may have it, or this account sells it. */
  soldTo(contentId: string, account: string) {
    const sold = this.#context.sold.of(contentId);
    return sold && sold.terms.seller !== account ? sold : null;
  }

  /** What a certificate says, when the home shard of its account has signed it on this network; else `null`. */
  read(signed: SignedAccess): AccessCertificate | null {
    if (!isSignedAccess(signed)) return null;
    const id = Buffer.from(sha256(Buffer.concat([signed.record, signed.signature]))).toString('base64');
    const known = this.#checked.get(id);
    if (known) return known.access;
    const access = decodeAccess(signed.record);
    const genuine = this.#isGenuine(access, signed) ? access : null;
    this.#checked.set(id, { access: genuine });
    return genuine;
  }

  /** `null` when it opens what is sold, now. */
  obstacle(
    access: AccessCertificate,
    terms: Parameters<typeof accessEndMs>[1],
  ): Exclude<AccessObstacle, 'AccessNeeded'> | null {
    const { toleranceMs, nowMs } = this.#context;
    const endMs = accessEndMs(access, terms, toleranceMs);
    if (endMs === null) return 'AccessInvalid';
    // What is sold by the minute is not given away by the clock's ten.
    const lateMs = Math.min(toleranceMs, access.lastsMs);
    return nowMs() > endMs + lateMs ? 'AccessExpired' : null;
  }

  #isGenuine({ networkId, shard, account }: AccessCertificate, { record, signature }: SignedAccess): boolean {
    const { settings } = this.#context;
    const { validatorKeys } = settings;
    if (networkId !== settings.networkId || shard !== homeShard(account, validatorKeys.length, sha256))
      return false;
    const key = validatorKeys[shard];
    return key !== undefined && verifyDevice(fromHex(key), record, signature);
  }
}

/** What one viewer has shown on one stream. */
export class AccessVisitor {
  readonly #gate: AccessGate;
  readonly #account: string;
  /** By the content that it names; `null`: nothing that could open it. */
  readonly #shown = new LRUCache<string, { readonly access: AccessCertificate | null }>({ max: MAX_SHOWN });

  constructor(gate: AccessGate, account: string) {
    this.#gate = gate;
    this.#account = account;
  }

  /** @throws AceError `MessageMalformed` */
  shows(signed: SignedAccess): void {
    const { contentId } = decodeAccess(signed.record);
    const access = this.#gate.read(signed);
    this.#shown.set(contentId, { access: access?.account === this.#account ? access : null });
  }

  /** Why it gets nothing of a content; `null` when it may have it. */
  obstacle(contentId: string): AccessObstacle | null {
    const sold = this.#gate.soldTo(contentId, this.#account);
    if (!sold) return null;
    const shown = this.#shown.get(sold.contentId);
    if (!shown) return 'AccessNeeded';
    return shown.access ? this.#gate.obstacle(shown.access, sold.terms) : 'AccessInvalid';
  }
}
