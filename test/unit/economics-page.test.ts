/** The page of what strangers get for nothing says what the settings say, and names settings and tests that exist. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  CONNECTIONS_FOR_KNOWN,
  DHT_ADDRESS_RATE,
  DHT_GROUP_RATE,
  INBOUND_PER_SECOND_AND_ADDRESS,
  MAX_CONNECTIONS,
  MAX_HANDSHAKES_PER_ADDRESS,
  MAX_LIBRARY_REQUEST_BYTES,
  MAX_PEER_RECORDS_BYTES,
  MAX_PER_ADDRESS,
  MAX_PER_NETWORK_GROUP,
  MAX_PROVIDER_RECORDS,
  MAX_RELAYED_PEERS,
  MAX_RELAYED_PER_ADDRESS,
  MAX_RELAYED_PER_NETWORK_GROUP,
  MAX_RELAYED_STRANGERS,
  NAMED_DIAL_RATE,
  NAMED_DIALS_RATE,
} from '../../main/p2p/limits.ts';
import {
  FREE_UPLOAD_RATES,
  KNOWN_DEVICES_OF_VIEWER,
  RISK_LIMITS,
  UNUSED_CHANNEL_KEPT_MS,
} from '../../main/peer/limits.ts';
import { SMALL_PIECE_BYTES, SMALL_PIECE_RATE } from '../../main/pieces/constants.ts';
import { MAX_LOG_BYTES } from '../../main/process/log.ts';
import { LINES_A_MINUTE } from '../../main/process/repeated-lines.ts';
import {
  MAX_TOP_UP_PER_ADDRESS_AND_DAY,
  MAX_TOP_UP_PER_CLIENT_AND_DAY,
} from '../../main/validator/faucet-limits.ts';
import {
  ADDRESS_LEASE_RATE,
  GROUP_LEASE_RATE,
  ROWS_RATE,
  STRANGERS_LEASE_RATE,
  STRANGERS_ROW_RATE,
  UNUSED_LEASE_KEPT_MS,
} from '../../main/validator/limits.ts';
import { BASE_UNITS_PER_TOKEN } from '../../shared/economy/money.ts';
import { MAX_RATE_CHANGE_PER_DAY } from '../../shared/economy/rate-bounds.ts';
import type { BucketRate } from '../../shared/token-bucket.ts';
import { leasesOfStrangersInADay } from '../helpers/leases-of-strangers.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const PAGE = readFileSync(join(ROOT, 'docs', 'economics.md'), 'utf8');
const MIB = 1_048_576;
const DAY_MS = 24 * 3_600_000;
const DAYS = ['no day', 'one day', 'two days', 'three days'];

const n = (value: number | bigint) => value.toLocaleString('en-US');
const aDay = ({ perSecond }: BucketRate) => Math.round(perSecond * 86_400);
/** Of the first day, which begins with the burst. */
const firstDay = (rate: BucketRate) => rate.burst + rate.perSecond * 86_400;

const filesMib = Math.round(firstDay(FREE_UPLOAD_RATES.all) / MIB);
const resentMib = Math.round(firstDay(RISK_LIMITS.resends.all));
const { unpaid, newcomersUnits, newcomerUnits, resends } = RISK_LIMITS;
const unpaidMib = unpaid.inAllUnits * (1 + DAY_MS / unpaid.windowMs);

/** What the settings make of a row: each phrase stands in it. */
const FIGURES: Readonly<Record<string, readonly string[]>> = {
  'a connection': [
    `an address for each ${MAX_PER_ADDRESS}, a /24 for each ${MAX_PER_NETWORK_GROUP}`,
    `${MAX_CONNECTIONS - CONNECTIONS_FOR_KNOWN} slots of ${MAX_CONNECTIONS}`,
  ],
  'a handshake': [
    `an address for each ${MAX_HANDSHAKES_PER_ADDRESS}`,
    `${INBOUND_PER_SECOND_AND_ADDRESS} a second for an address`,
  ],
  'a dial to an address that it names': [
    `${NAMED_DIAL_RATE.burst} dials to one machine at once and one every two seconds`,
    `${NAMED_DIALS_RATE.perSecond} a second in all`,
  ],
  'a record of the DHT': [
    `an address for each ${DHT_ADDRESS_RATE.perSecond} messages a second, a /24 or /48 for each ${DHT_GROUP_RATE.perSecond}`,
    `${n(MAX_PROVIDER_RECORDS)} records`,
  ],
  'a place among the known peers': [`${MAX_PEER_RECORDS_BYTES / MIB} MiB of memory`],
  'a message of libp2p’s own protocols': [
    `an address for each ${DHT_ADDRESS_RATE.perSecond} a second, a /24 or /48 for each ${DHT_GROUP_RATE.perSecond}`,
    `${MAX_LIBRARY_REQUEST_BYTES / 1_024} KiB to decode`,
  ],
  'a place at a relay': [
    `an address for each ${MAX_RELAYED_PER_ADDRESS}, a /24 for each ${MAX_RELAYED_PER_NETWORK_GROUP}`,
    `${MAX_RELAYED_STRANGERS} of ${MAX_RELAYED_PEERS} for half an hour`,
  ],
  'the first unit, unpaid': [
    `an address for each ${unpaid.perGroupUnits} an hour`,
    `${unpaid.inAllUnits} MiB an hour of one provider, ${unpaidMib} MiB a day`,
  ],
  'units on credit': [`accounts, one for each ${newcomerUnits}`, `${newcomersUnits} MiB a day`],
  'a piece sent again': [`for each ${aDay(resends.group)} a day`, `${resentMib} MiB in a day`],
  'a transport file, live records': [
    `an address in another /24 for each ${FREE_UPLOAD_RATES.group.burst / MIB} MiB`,
    `${filesMib} MiB a day of one provider; with loans and resends ${n(newcomersUnits + filesMib + resentMib)} MiB`,
  ],
  'an answer about a piece smaller than 16 KiB': [
    `smaller than ${SMALL_PIECE_BYTES / 1_024} KiB`,
    `a device for each ${SMALL_PIECE_RATE.perSecond} a second`,
  ],
  'a lease, and its row': [
    `an address for each ${aDay(ADDRESS_LEASE_RATE)} a day, a /24 or /48 for each ${n(aDay(GROUP_LEASE_RATE))}`,
    `${n(aDay(STRANGERS_LEASE_RATE))} a day of all strangers together`,
    `${n(Math.round(leasesOfStrangersInADay(20) / 100) * 100)} with what they begin with`,
    `gone ${DAYS[UNUSED_LEASE_KEPT_MS / DAY_MS]} after their end`,
  ],
  'a settlement of units on credit': [`${n(aDay(STRANGERS_ROW_RATE))} rows a day of all accounts`],
  'a channel’s row at a provider': [`gone ${DAYS[UNUSED_CHANNEL_KEPT_MS / DAY_MS]} after its end`],
  'rows of statements': [`${n(ROWS_RATE.perSecond)} rows a second of an address`],
  'a line in the log': [
    `${LINES_A_MINUTE} lines a minute of a kind`,
    `${(2 * MAX_LOG_BYTES) / MIB} MiB of files in all`,
  ],
  'a devnet’s funds': [
    `a client for each ${n(MAX_TOP_UP_PER_CLIENT_AND_DAY / BASE_UNITS_PER_TOKEN)} XAT a day`,
    `an address for ${n(MAX_TOP_UP_PER_ADDRESS_AND_DAY / BASE_UNITS_PER_TOKEN)}`,
  ],
  'influence on the price': [
    `${(100 * Number(MAX_RATE_CHANGE_PER_DAY.num)) / Number(MAX_RATE_CHANGE_PER_DAY.den)} % in any 24 hours`,
  ],
};

/** What tests measure and hold to: each phrase, and the file whose test does. */
const MEASURED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'a connection': { 'gets in within 2 to 3 s': 'silent-strangers' },
  'a row of the rendezvous': { '20 MB of a validator’s memory': 'rendezvous' },
  'a provider’s place with a viewer': {
    '16 are tried at once': 'first-answer',
    'first byte 0.7 s among 40 made-up ones': 'false-providers',
  },
  'a message of libp2p’s own protocols': { 'a request of 4 MB took 34 s before': 'dht-floods' },
  'a lease, and its row': {
    '45 MB': 'pending-leases',
    '80 MB where each has a settled unit': 'pending-leases',
  },
  'a settlement of units on credit': {
    'less than 22 MB in validator.db, 10 MB in chain.db': 'dust-on-credit',
  },
  'a channel’s row at a provider': { '0.8 kB, 38 MB': 'free-service' },
  'influence on the price': { '1 % costs 0.08 XAT up, 10.8 XAT down': 'price-moved' },
};

interface Row {
  readonly name: string;
  readonly needs: string;
  readonly costs: string;
  readonly settings: readonly string[];
  readonly tests: readonly string[];
}

const quoted = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

const ROWS: readonly Row[] = PAGE.split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll("'", '’')),
  )
  .filter((cells) => cells.length === 5 && cells[0] !== 'what' && !/^-+$/.test(cells[0] ?? ''))
  .map(([name = '', needs = '', costs = '', settings = '', tests = '']) => ({
    ...{ name, needs, costs },
    settings: quoted(settings),
    tests: quoted(tests),
  }));

const sources = () =>
  globSync(['main/**/*.ts', 'shared/**/*.ts'], { cwd: ROOT }).map((path) => ({
    path,
    text: readFileSync(join(ROOT, path), 'utf8'),
  }));

describe('the page of what strangers get for nothing', () => {
  it('has rows for all that is listed here, and no others with figures', () => {
    expect(ROWS.length).toBeGreaterThan(20);
    const names = ROWS.map(({ name }) => name);
    for (const name of [...Object.keys(FIGURES), ...Object.keys(MEASURED)]) expect(names).toContain(name);
  });

  it.each(ROWS.map((row) => [row.name, row] as const))(
    'says of %s what settings and tests say',
    (name, row) => {
      let text = [row.name, row.needs, row.costs].join(' | ');
      for (const phrase of [...(FIGURES[name] ?? []), ...Object.keys(MEASURED[name] ?? {})]) {
        expect(text).toContain(phrase);
        text = text.replaceAll(phrase, '');
      }
      // Nothing is said in figures that nobody holds.
      expect(text.replaceAll(/\/(24|48)\b|IPv[46]|libp2p/g, '')).not.toMatch(/\d/);
    },
  );

  it.each(ROWS.map((row) => [row.name, row] as const))('names for %s settings that exist', (_, row) => {
    expect(row.settings.length).toBeGreaterThan(0);
    const all = sources();
    for (const setting of row.settings) {
      if (setting.endsWith('.ts')) {
        expect(
          all.some(({ path }) => path.endsWith(`/${setting}`) || path === setting),
          setting,
        ).toBe(true);
        continue;
      }
      const pattern = setting
        .split('…')
        .map((part) => part.replaceAll('.', '\\.'))
        .join('[A-Z_]*');
      const [top = '', ...members] = pattern.split('\\.');
      const found = all.some(
        ({ text }) =>
          new RegExp(`(const |')${top}`).test(text) &&
          members.every((member) => new RegExp(`\\b${member}\\b`).test(text)),
      );
      expect(found, setting).toBe(true);
    }
  });

  it('names tests that exist', () => {
    const files = globSync('test/**/*.test.ts', { cwd: ROOT }).map((path) =>
      basename(path).replace(/(\.long)?\.test\.ts$/, ''),
    );
    const named = [...ROWS.flatMap(({ tests }) => tests), ...Object.values(MEASURED).flatMap(Object.values)];
    expect(named.length).toBeGreaterThan(20);
    for (const name of named) expect(files, name).toContain(name);
  });

  it('adds up what a provider loses in a day', () => {
    const text = PAGE.replaceAll(/\s+/g, ' ');
    expect(text).toContain(
      `at most ${newcomersUnits} MiB of units, ${filesMib} MiB of files and ${resentMib} MiB of pieces`,
    );
    expect(newcomersUnits + filesMib + resentMib).toBeLessThan(1_024);
    expect(text).toContain(`${KNOWN_DEVICES_OF_VIEWER} at most`);
  });

  it('is linked where SECURITY.md counts on it', () => {
    const page = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8');
    for (const [, path = ''] of page.matchAll(/\]\(([^)#:]+\.md)/g))
      expect(existsSync(join(ROOT, path)), path).toBe(true);
    expect(page).toContain('1 GiB a day for nothing');
  });
});
