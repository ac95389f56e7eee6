/** What options and arguments of the command line may be. @throws InvalidArgumentError, whose text commander shows */
import { isIP } from 'node:net';
import { InvalidArgumentError } from 'commander';
import { isPositiveDecimal } from '../../shared/devnet-profile.ts';
import { unitsForBytes } from '../../shared/economy/units.ts';
import { isAmbiguousDecimal, typedDecimal } from '../../shared/typed/number.ts';
import { isHostName } from '../rpc/guard.ts';
import { sizeBytes } from './setting-values.ts';

/** Within both bounds. */
export function wholeNumber(least: number, most: number) {
  return (text: string): number => {
    const value = Number(typedDecimal(text, '.') ?? Number.NaN);
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

/** An amount of traffic: of MiB, or with a unit. What is begun of a MiB counts as one, as everywhere. */
export function trafficUnits(most: number) {
  return (text: string): number => {
    const bytes = sizeBytes(text.trim());
    const value = bytes === null ? Number(typedDecimal(text, '.') ?? Number.NaN) : unitsForBytes(bytes);
    if (!Number.isInteger(value) || value < 1 || value > most)
      throw new InvalidArgumentError(`Give a whole number from 1 to ${most}, or a size such as 2GB.`);
    return value;
  };
}

/** No host name: what it stands for can change. */
export function ipAddress(text: string): string {
  if (isIP(text) === 0 || text.includes('%')) {
    throw new InvalidArgumentError('Give an IP address of this machine, 0.0.0.0 or :: for all.');
  }
  return text;
}

/** As it stands in the address of a browser, also with the rest of that. Given once with commas, or several times. */
export function hostNames(text: string, before: readonly string[] = []): string[] {
  const hosts = text.split(',').map((one) =>
    one
      .trim()
      .toLowerCase()
      .replace(/^https?:\/\//, '')
      .replace(/\/.*$/, ''),
  );
  const wrong = hosts.find((host) => !isHostName(host));
  if (wrong !== undefined)
    throw new InvalidArgumentError(
      'Give a name or IP address, with its port: localhost:8080, node.example:443.',
    );
  return [...before, ...hosts];
}

/** An unset variable of a script: as a path it would mean the current directory. */
export function notEmpty(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It is empty.');
  return text;
}

/** Of an argument that may be given several times. */
export function eachNotEmpty(text: string, before: readonly string[] = []): string[] {
  return [...before, notEmpty(text)];
}

export function recordHash(text: string): string {
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new InvalidArgumentError('Give the 64 hex digits of a head.');
  return text.toLowerCase();
}

/** Checked as text and kept as text, as the profile stores it. */
export function positiveDecimal(text: string): string {
  const decimal = typedDecimal(text, '.') ?? text;
  if (!isPositiveDecimal(decimal)) {
    throw new InvalidArgumentError('Give a decimal number from 0.000001 to 1000000, for example 3.5.');
  }
  return decimal;
}

/**
 * An amount of tokens, or a percentage, in the form that the contract has. With money nothing is guessed: what could be
 * a thousand as well as one is left as it was typed, and refused as an amount.
 */
export function typedAmount(text: string): string {
  return isAmbiguousDecimal(text) ? text : (typedDecimal(text, '.') ?? text);
}

const SPAN_UNITS_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A span of time, in milliseconds. */
export function span(text: string): number {
  const [, count, unit] = /^(\d{1,6})([mhd])$/i.exec(text.trim()) ?? [];
  if (count === undefined || unit === undefined || Number(count) === 0)
    throw new InvalidArgumentError('Give a whole number of minutes, hours or days: 90m, 24h, 7d.');
  return Number(count) * SPAN_UNITS_MS[unit.toLowerCase() as keyof typeof SPAN_UNITS_MS];
}
