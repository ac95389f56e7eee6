/**
 * What an amount buys, in the only unit that everybody knows. 1 XAT buys one hour of viewing at the network's average
 * consumption by definition (docs/economy.md#tokens); XAC is worth XAT at the exchange rate.
 */
import { BASE_UNITS_PER_TOKEN } from '../../shared/economy/money.ts';
import { overDown, parseRatio } from '../../shared/economy/ratio.ts';
import { m } from '../../shared/i18n/compiled/messages.js';
import { formatTenths, formatWhole } from './locale.ts';

/** "about 4.3 hours of video"; `brief` says "h". Empty for nothing. */
export function videoTime(xatBaseUnits: bigint, brief = false): string {
  if (xatBaseUnits <= 0n) return '';
  const minutes = (xatBaseUnits * 60n) / BASE_UNITS_PER_TOKEN;
  if (minutes < 1n) return m.video_less_than_minute();
  if (minutes < 60n) return m.video_minutes({ minutes });
  const tenths = Number((xatBaseUnits * 10n) / BASE_UNITS_PER_TOKEN);
  const count = tenths < 100 ? tenths / 10 : Math.floor(tenths / 10);
  const hours = Number.isInteger(count) ? formatWhole(count) : formatTenths(count);
  return brief ? m.video_hours_brief({ hours }) : m.video_hours({ count, hours });
}

/** The XAT that an amount of XAC is worth, both in base units. @param xacPerXat exact, as in `PriceView` */
export function xatWorth(xacBaseUnits: bigint, xacPerXat: string): bigint {
  const rate = parseRatio(xacPerXat);
  return rate.num === 0n ? 0n : overDown(xacBaseUnits, rate);
}
