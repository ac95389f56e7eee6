/** How settlements are shown, for as long as the page lives: also when their section is left and entered again. */
import type { SettlementGrouping } from '../../shared/rpc/settlements.ts';

class Grouping {
  by = $state<SettlementGrouping | 'none'>('peer');
}

export const grouping = new Grouping();
