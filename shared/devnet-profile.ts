/** What a devnet is made with: the settings of its genesis that its maker may choose. */

/** A rate of a profile: 0.000001 to 1,000,000. Anything else has no ratio that the chain could keep. */
export function isPositiveDecimal(text: string): boolean {
  if (!/^\d{1,7}(\.\d{1,6})?$/.test(text)) return false;
  const value = Number(text);
  return value > 0 && value <= 1_000_000;
}

/** Validators of one devnet. */
export const MAX_DEVNET_SHARDS = 64;

/** What may differ from one devnet to another. Decimal strings and plain numbers, because it is stored as JSON. */
export interface DevnetProfile {
  readonly trafficCreditLimitUnits: number;
  /** GB per hour. */
  readonly trafficRateGbPerHour: string;
  /** Hours of viewing that the initial rate weighs. */
  readonly priorWeightHours: number;
  /** XAC for 1 XAT, decimal. */
  readonly xacPerXat: string;
  readonly settlementIntervalMs: number;
  /** XAT that the faucet account has at genesis, whole tokens. */
  readonly faucetXat: number;
  /** Validators, each a process of its own; 1 when left out. */
  readonly shards?: number;
}

export const DEFAULT_DEVNET: DevnetProfile = {
  trafficCreditLimitUnits: 10_240,
  trafficRateGbPerHour: '3.5',
  priorWeightHours: 10_000,
  xacPerXat: '1',
  settlementIntervalMs: 2_000,
  faucetXat: 1_000_000,
};
