import type { Migration } from '../../open.ts';
import { initial } from './0001-initial.ts';
import { accountKeys } from './0002-account-keys.ts';
import { shardTraffic } from './0003-shard-traffic.ts';
import { accountOperations } from './0004-account-operations.ts';
import { rateDay } from './0005-rate-day.ts';
import { rateHours } from './0006-rate-hours.ts';
import { rateDayAgain } from './0007-rate-day-again.ts';

export const chainMigrations: readonly Migration[] = [
  initial,
  accountKeys,
  shardTraffic,
  accountOperations,
  rateDay,
  rateHours,
  rateDayAgain,
];
