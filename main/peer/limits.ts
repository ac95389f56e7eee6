/**
 * What a node bounds towards others, each with its unit and its reason. What every host bounds is in `p2p/limits.ts`, what
 * the user sets in `main/limits`.
 */
import { TRAFFIC_UNIT_BYTES } from '../../shared/economy/units.ts';
import type { Limits } from '../../shared/limits.ts';
import type { ClockLimits } from '../account/network-clock.ts';
import type { RiskLimits } from '../channel/provider-risk.ts';
import type { FreeUploadRates } from '../p2p/free-upload.ts';

/** A channel that never carried a byte is forgotten so long after its end; its shard forgets the lease then, too. */
export const UNUSED_CHANNEL_KEPT_MS = 3 * 24 * 3_600_000;
/** How often they are looked for. */
export const FORGET_EVERY_MS = 3_600_000;
/** Channels that one look forgets: more than strangers get leases for in that time, and some milliseconds of work. */
export const MAX_FORGOTTEN_AT_ONCE = 2_000;

export const CLOCK_LIMITS: ClockLimits = {
  /** The margin of a channel's end: what is within it, records and operations bear. */
  shownMs: 10 * 60_000,
  /** Half of a channel's life. Beyond its whole life the shard or the provider takes a new one for over, or for too long. */
  stopsMs: 6 * 3_600_000,
  /** Soon enough that nobody wonders. */
  lookMs: 1_000,
  /** One small request. */
  askMs: 5_000,
};

/** So long other shards are waited for when this computer's clock and the home shard's are apart. */
export const OTHER_SHARDS_WAIT_MS = 2_000;

export const RISK_LIMITS: RiskLimits = {
  unpaid: {
    /** Units an hour: a household behind one address, whose members each begin with one unit. */
    perGroupUnits: 4,
    /** Units an hour, to all addresses: 300 a day at most, so that most of a day's risk is left for loans. */
    inAllUnits: 12,
    windowMs: 3_600_000,
  },
  /** Units of an account that has paid nothing yet: twenty providers carry the 10 GB that the network lends it. */
  newcomerUnits: 512,
  /** Units a day, unpaid or on credit, of all such accounts together: with what they get for nothing less than 1 GiB, however many come. */
  newcomersUnits: 768,
  newcomerWindowMs: 24 * 3_600_000,
  /** Units of one account that has paid as many: no more than a quarter of what the network lends it. */
  loanUnits: 2_560,
  resends: {
    /** Of one network group: a household's evening on a bad line. */
    group: { burst: 3, perSecond: 3 / 86_400 },
    /** A dozen newcomers whose lines broke, and a dozen more in a day: with all else less than 1 GiB. */
    all: { burst: 12, perSecond: 12 / 86_400 },
  },
};

/** Accounts of which is remembered which of their devices were here. */
export const REMEMBERED_VIEWERS = 10_000;
/** Devices of one account that are no strangers: a family's. */
export const KNOWN_DEVICES_OF_VIEWER = 32;

/**
 * Bytes of transport files and records of broadcasts for peers that never paid nor served, beside what each alone may have:
 * 229 MiB in a day at most. A file of 68 kB describes 2 GiB, so a thousand newcomers get theirs at once.
 */
export const FREE_UPLOAD_RATES: FreeUploadRates = {
  /** Of one network of addresses: some hundred such files, and one every five minutes. */
  group: { burst: 8 * 1_048_576, perSecond: 256 },
  all: { burst: 64 * 1_048_576, perSecond: 2_000 },
};

const UNBOUNDED = { burst: Number.POSITIVE_INFINITY, perSecond: 1 };

/** On a devnet anybody takes money from the faucet, so a loan there is nothing to lose. */
export const DEVNET_RISK_LIMITS: RiskLimits = {
  ...RISK_LIMITS,
  newcomerUnits: Number.POSITIVE_INFINITY,
  newcomersUnits: Number.POSITIVE_INFINITY,
  resends: { group: UNBOUNDED, all: UNBOUNDED },
};

/** What the user has set of them. What an account may owe because it paid as much is no more than a newcomer may, if that is set. */
export function withUserLoans(
  base: RiskLimits,
  { loansPerDayBytes, loansPerAccountBytes }: Pick<Limits, 'loansPerDayBytes' | 'loansPerAccountBytes'>,
): RiskLimits {
  const unitsOf = (bytes: number | null) => (bytes === null ? null : Math.floor(bytes / TRAFFIC_UNIT_BYTES));
  const ofAccount = unitsOf(loansPerAccountBytes);
  return {
    ...base,
    newcomerUnits: ofAccount ?? base.newcomerUnits,
    newcomersUnits: unitsOf(loansPerDayBytes) ?? base.newcomersUnits,
    loanUnits: Math.min(base.loanUnits, ofAccount ?? base.loanUnits),
  };
}
