import type { HoldingDeltas } from '../../../shared/economy/holdings.ts';

/** What lies in both places, or what was gained there, in the order of the columns `xat` to `services_xas`. */
export function holdingValues({ main, services }: HoldingDeltas): bigint[] {
  return [main.XAT, main.XAC, main.XAS, main.XAB, services.XAT, services.XAC, services.XAS];
}
