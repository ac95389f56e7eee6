import { affordableUnits, creditLeftUnits } from '../../shared/economy/credit.ts';
import { amount } from '../../shared/economy/money.ts';
import { unitPriceXac } from '../../shared/economy/price.ts';
import type { NetworkSettings } from '../../shared/economy/settings.ts';
import type { ShardLines } from './lines.ts';

/**
 * Whether an account could pay for a unit now, from its funds or on credit, by the word of its home shard.
 * @throws AceError `ShardUnavailable`, `RequestTimeout`
 */
export async function canPay(
  address: string,
  lines: Pick<ShardLines, 'of' | 'homeOf'>,
  settings: Pick<NetworkSettings, 'trafficCreditLimitUnits'>,
): Promise<boolean> {
  const home = lines.of(lines.homeOf(address));
  const [{ balances, creditUsedUnits }, market] = await Promise.all([
    home.call('account', { address }),
    home.call('market', {}),
  ]);
  const rates = { xacPerXat: market.xacPerXat, xacPerXas: market.xacPerXas };
  const price = { rates, unitPriceXac: unitPriceXac(market, rates) };
  const funds = { XAC: amount(balances.XAC), XAT: amount(balances.XAT), XAS: amount(balances.XAS) };
  const hasFunds = affordableUnits(funds, price, 1) > 0;
  return hasFunds || creditLeftUnits(settings.trafficCreditLimitUnits, creditUsedUnits) > 0;
}
