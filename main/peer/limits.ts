/**
 * What one peer bounds towards others, each number with its unit and why it is that. What the user sets is in
 * `main/limits`.
 */
import type { RiskLimits } from '../channel/provider-risk.ts';

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
  /** Units a day, unpaid or on credit, of all such accounts together: less than 1 GiB, however many come. */
  newcomersUnits: 1_000,
  newcomerWindowMs: 24 * 3_600_000,
  /** Units of one account that has paid as many: no more than a quarter of what the network lends it. */
  loanUnits: 2_560,
};

/** On a devnet anybody takes money from the faucet, so a loan there is nothing to lose. */
export const DEVNET_RISK_LIMITS: RiskLimits = {
  ...RISK_LIMITS,
  newcomerUnits: Number.POSITIVE_INFINITY,
  newcomersUnits: Number.POSITIVE_INFINITY,
};
