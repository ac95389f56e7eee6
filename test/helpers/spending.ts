import type { UserLimitsContext } from '../../main/limits/user-limits.ts';

import type { AutoTopUpView } from '../../shared/rpc/rpc.ts';

export const NO_AUTO_TOP_UP: AutoTopUpView = {
  state: 'off',
  dayXat: '0.0000000',
  monthXat: '0.0000000',
  last: null,
};

/** Of an account that has spent nothing, for tests of the other limits. */
export const NOTHING_SPENT: UserLimitsContext['spending'] = {
  spent: () => ({ dayXac: 0n, monthXac: 0n, onItsWayXac: 0n }),
  priceOf: () => 0n,
};
