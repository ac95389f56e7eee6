import { parseAmount } from '../../shared/economy/money.ts';
import type { QuoteBasis } from '../../shared/economy/quote.ts';
import { parseRatio } from '../../shared/economy/ratio.ts';
import type { NodeSnapshot } from '../../shared/rpc/rpc.ts';

/** What quotes are worked out from, by the rules in shared/; `null` while the price is not known. */
export function quoteBasisOf({ holdings: { services }, credit, price }: NodeSnapshot): QuoteBasis | null {
  if (price === null) return null;
  const { exact } = price;
  return {
    funds: {
      XAC: parseAmount(services.XAC),
      XAT: parseAmount(services.XAT),
      XAS: parseAmount(services.XAS),
    },
    creditLeftUnits: credit.limitUnits - credit.usedUnits,
    owes: credit.usedUnits > 0,
    price: {
      rates: { xacPerXat: parseRatio(exact.xacPerXat), xacPerXas: parseRatio(exact.xacPerXas) },
      unitPriceXac: parseRatio(exact.xacPerUnit),
    },
    unitPriceXat: parseRatio(exact.xatPerUnit),
    trafficFee: parseRatio(exact.trafficFee),
  };
}
