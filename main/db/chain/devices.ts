import type { Database } from '../open.ts';

export interface DeviceQueries {
  put(account: string, device: string, linked: boolean): void;
  /** `undefined` for a device that no operation of the account ever named. */
  isLinked(account: string, device: string): boolean | undefined;
  /** At most `limit` of an account's, in the order of their keys. */
  of(account: string, limit: number): { readonly device: string; readonly linked: boolean }[];
}

export function deviceQueries(db: Database): DeviceQueries {
  const put = db.prepare(`
    INSERT INTO devices (account, device, linked) VALUES (?, ?, ?)
    ON CONFLICT (account, device) DO UPDATE SET linked = excluded.linked
  `);
  const linked = db
    .prepare<[string, string], number>('SELECT linked FROM devices WHERE account = ? AND device = ?')
    .pluck();
  const all = db.prepare<[string, number], { device: string; linked: number }>(
    'SELECT device, linked FROM devices WHERE account = ? ORDER BY device LIMIT ?',
  );
  return {
    put: (account, device, isLinked) => void put.run(account, device, isLinked ? 1 : 0),
    isLinked: (account, device) => {
      const value = linked.get(account, device);
      return value === undefined ? undefined : value === 1;
    },
    of: (account, limit) =>
      all.all(account, limit).map(({ device, linked }) => ({ device, linked: linked === 1 })),
  };
}
