/** What was sold, as `shared/rpc/sharing.ts` shows it. */
import { formatAmount } from '../../shared/economy/money.ts';
import type { SalesDayView } from '../../shared/rpc/sharing.ts';
import { parseContentId } from '../content/transport-file.ts';
import type { NodeStore } from '../db/node/store.ts';
import { salesByDay } from '../journal/sales.ts';

export async function salesView(store: NodeStore, contentId: string | undefined): Promise<SalesDayView[]> {
  const { contents, broadcasts } = store;
  const days = await salesByDay(store, contentId === undefined ? null : parseContentId(contentId));
  return days.map((sales) => ({
    contentId: sales.contentId,
    name: (contents.file(sales.contentId) ?? broadcasts.get(sales.contentId))?.name ?? null,
    day: sales.day,
    count: sales.count,
    grossXac: formatAmount(sales.grossXac),
    feeXac: formatAmount(sales.feeXac),
    netXac: formatAmount(sales.netXac),
    netXas: formatAmount(sales.netXas),
  }));
}
