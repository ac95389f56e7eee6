import { affordableUnits, coveredUnits, creditLeftUnits } from '../../shared/economy/credit.ts';
import { amount } from '../../shared/economy/money.ts';
import { unitPriceXac } from '../../shared/economy/price.ts';
import type { NetworkSettings } from '../../shared/economy/settings.ts';
import type { ShardLines } from './lines.ts';

type Lines = Pick<ShardLines, 'of' | 'homeOf'>;
type Settings = Pick<NetworkSettings, 'trafficCreditLimitUnits'>;

/** More than anyone can lease. */
const MOST_UNITS = 2 ** 50;

/**
 * Whether an account could pay for a unit now, from its funds or on credit, by the word of its home shard.
 * @throws AceError `ShardUnavailable`, `RequestTimeout`
 */
export async function canPay(address: string, lines: Lines, settings: Settings): Promise<boolean> {
  const { funds, price, creditLeft } = await ask(address, lines, settings);
  return affordableUnits(funds, price, 1) > 0 || creditLeft > 0;
}

/**
 * Whether an account's funds cover all that it has leased, so that none of it goes on credit, by the word of its home
 * shard. @throws AceError `ShardUnavailable`, `RequestTimeout`
 */
export async function isCovered(address: string, lines: Lines, settings: Settings): Promise<boolean> {
  const { funds, price, reservedUnits } = await ask(address, lines, settings);
  const coverable = coveredUnits(funds, price, MOST_UNITS);
  return coverable > 0 && coverable >= reservedUnits;
}

async function ask(address: string, lines: Lines, settings: Settings) {
  const home = lines.of(lines.homeOf(address));
  const [{ services, creditUsedUnits, reservedUnits }, market] = await Promise.all([
    home.call('account', { address }),
    home.call('market', {}),
  ]);
  const rates = { xacPerXat: market.xacPerXat, xacPerXas: market.xacPerXas };
  return {
    funds: { XAC: amount(services.XAC), XAT: amount(services.XAT), XAS: amount(services.XAS) },
    price: { rates, unitPriceXac: unitPriceXac(market, rates) },
    creditLeft: creditLeftUnits(settings.trafficCreditLimitUnits, creditUsedUnits),
    reservedUnits,
  };
}
