/** The processes of the ticks bench; see ticks.ts. Each prints one JSON object. */
import '../../main/process/heap.ts';
import { hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { type PayeeChannel, PayeeService } from '../../main/channel/payee.ts';
import { openNodeStore } from '../../main/db/node/store.ts';
import { sha256 } from '../../main/util/sha256.ts';
import { type DeviceIdentity, deviceFromSeed } from '../../main/wallet/device.ts';
import { acceptTick, type PayeeState, STRANGER } from '../../shared/channel/payee.ts';
import { channelIdOf, encodeLease, encodeTerms, MAX_CAPACITY_UNITS } from '../../shared/channel/records.ts';
import { TickChain } from '../../shared/channel/tick-chain.ts';
import { testAddress, testSettings, VALIDATORS } from '../helpers/chain.ts';

const [name, path = '', ...args] = process.argv.slice(2) as [string, string, ...string[]];
const WINDOW_CAP_UNITS = 8;
const LIFE_MS = 12 * 3_600_000;

const say = (value: object) => process.stdout.write(JSON.stringify(value));
const rate = (count: number, startedAtMs: number) =>
  Math.round((count / (performance.now() - startedAtMs)) * 1_000);

const roles: Readonly<Record<string, () => Promise<void>>> = {
  /** One chain after another, each tick through the payee's whole rule. */
  async verify() {
    const [rounds] = args.map(Number) as [number];
    const capacityUnits = MAX_CAPACITY_UNITS;
    const chain = TickChain.fromSeed(new Uint8Array(32).fill(1), capacityUnits, sha256);
    const ticks = Array.from({ length: capacityUnits + 1 }, (_, i) => chain.tick(i));
    const start: PayeeState = {
      channelId: new Uint8Array(32),
      capacityUnits,
      expiresAtMs: Number.MAX_SAFE_INTEGER,
      paidUnits: 0,
      tick: chain.anchor,
      servedBytes: 0,
      checkpointNumber: 0,
      checkpointUnits: 0,
      status: 'open',
      pausedBy: null,
    };
    const chains = 50;
    const context = { history: STRANGER, windowCapUnits: WINDOW_CAP_UNITS, sha256 };
    const run = () => {
      for (let n = 0; n < chains; n++) {
        let state = start;
        for (let i = 1; i <= capacityUnits; i++) {
          state = acceptTick(state, { index: i, tick: ticks[i] as Uint8Array }, context);
        }
      }
    };
    say({ rates: rounded(rounds, chains * capacityUnits, run) });
  },

  /** SHA-256 of 32 bytes and nothing else: by node's fastest call, and as its documentation shows it. */
  async hash() {
    const [rounds] = args.map(Number) as [number];
    const count = 500_000;
    const repeat = (digest: (data: Uint8Array) => Uint8Array) => () => {
      let data = new Uint8Array(32);
      for (let i = 0; i < count; i++) data = digest(data) as Uint8Array<ArrayBuffer>;
    };
    say({
      rates: rounded(rounds, count, repeat(sha256)),
      bufferRates: rounded(
        rounds,
        count,
        repeat((data) => hash('sha256', data, 'buffer')),
      ),
    });
  },

  /** Ticks of many channels, each made durable before it is answered; `perTurn` of each channel arrive together. */
  async durable() {
    const [channels, rounds, turns, perTurn] = args.map(Number) as [number, number, number, number];
    const { open, close } = service();
    const stages = Array.from({ length: channels }, (_, i) => open(i, rounds * turns * perTurn));
    const rates: number[] = [];
    let index = 0;
    for (let round = 0; round < rounds; round++) {
      const startedAtMs = performance.now();
      for (let turn = 0; turn < turns; turn++) {
        await Promise.all(
          stages.map(({ channel, ticks }) => {
            for (let i = 1; i <= perTurn; i++) channel.receiveTick(index + i, tickAt(ticks, index + i));
            return channel.commitSoon();
          }),
        );
        index += perTurn;
      }
      rates.push(rate(channels * turns * perTurn, startedAtMs));
    }
    close();
    say({ rates });
  },

  /**
   * Each channel always has as many ticks on their way as a window lets: each comes in a callback of its own, waits for
   * its own commit, and the next comes when that has answered. How many share a commit nobody says.
   */
  async offered() {
    const [channels, rounds, ticksEach] = args.map(Number) as [number, number, number];
    const { open, close, commits } = service();
    const stages = Array.from({ length: channels }, (_, i) => open(i, rounds * ticksEach));
    const before = commits();
    const offering = async ({ channel, ticks }: (typeof stages)[0], last: number) => {
      for (;;) {
        await setImmediate();
        const index = channel.state.paidUnits + 1;
        if (index > last) return;
        channel.receiveTick(index, tickAt(ticks, index));
        await channel.commitSoon();
      }
    };
    const rates: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      const startedAtMs = performance.now();
      await Promise.all(
        stages.flatMap((stage) =>
          Array.from({ length: WINDOW_CAP_UNITS }, () => offering(stage, round * ticksEach)),
        ),
      );
      rates.push(rate(channels * ticksEach, startedAtMs));
    }
    const ticksPerCommit = Math.round((channels * rounds * ticksEach) / (commits() - before));
    close();
    say({ rates, ticksPerCommit });
  },

  /** Rows that "durable" wrote, once more: one statement each, so many in one durable transaction. */
  async bare() {
    const [rounds, turns] = args.map(Number) as [number, number];
    const db = new Sqlite(path);
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    const ids = db.prepare('SELECT id FROM payee_progress').pluck().all() as number[];
    const put = db.prepare(
      `UPDATE payee_progress SET paid_units = paid_units + 1, tick = ?, served_bytes = ? WHERE id = ?`,
    );
    const tick = new Uint8Array(32).fill(7);
    const rates: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const startedAtMs = performance.now();
      for (let turn = 0; turn < turns; turn++) {
        db.transaction(() => {
          for (const id of ids) put.run(tick, 0, id);
        }).immediate();
      }
      rates.push(rate(ids.length * turns, startedAtMs));
    }
    db.close();
    say({ rates });
  },

  /**
   * So many channels open, and ten of them at a time, in turn, get a tick each in one commit: ten whose rows lie as far
   * apart as there is room. The first tick of each, which looks up its payer's other channels, is not measured.
   */
  async open() {
    const [channels, ticksTotal] = args.map(Number) as [number, number];
    const { open, close } = service();
    const perTurn = 10;
    const turns = ticksTotal / perTurn;
    const strides = channels / perTurn;
    const stages = Array.from({ length: channels }, (_, i) => open(i, 1 + Math.ceil(ticksTotal / channels)));
    const takeTurn = (turn: number) =>
      Promise.all(
        Array.from({ length: perTurn }, (_, n) => {
          const { channel, ticks } = stages[(turn % strides) + n * strides] as (typeof stages)[0];
          const index = channel.state.paidUnits + 1;
          channel.receiveTick(index, tickAt(ticks, index));
          return channel.commitSoon();
        }),
      );
    for (let turn = 0; turn < strides; turn++) await takeTurn(turn);
    const memoryMib = rssMib();
    const startedAtMs = performance.now();
    const before = process.cpuUsage();
    for (let turn = 0; turn < turns; turn++) await takeTurn(turn);
    const elapsedMs = performance.now() - startedAtMs;
    const { user, system } = process.cpuUsage(before);
    const perTick = (micros: number) => Math.round((micros / ticksTotal) * 10) / 10;
    say({
      microsPerTick: perTick(elapsedMs * 1_000),
      // The disk of a busy machine says little about the number of channels.
      cpuMicrosPerTick: perTick(user + system),
      memoryMib: Math.max(memoryMib, rssMib()),
    });
    close();
  },

  /** The payer's side of so many channels of the largest capacity: chains as kept in memory, each in use. */
  async chains() {
    const [channels] = args.map(Number) as [number];
    const { pebbles } = TickChain.fromSeed(new Uint8Array(32).fill(1), MAX_CAPACITY_UNITS, sha256);
    const chains: TickChain[] = [];
    for (let i = 0; i < channels; i++) {
      const chain = TickChain.fromPebbles(pebbles.slice(), MAX_CAPACITY_UNITS, sha256);
      chain.tick(5_000);
      chains.push(chain);
    }
    say({ memoryMib: rssMib(), channels: chains.length });
  },
};

const role = roles[name];
if (!role) throw new Error(`No role ${name}`);
await role();

/** A provider's service on a file of its own, and channels to it: each of another account, leased and signed. */
function service() {
  const real = openNodeStore(path);
  let commits = 0;
  const store: typeof real = {
    ...real,
    commit: (fn) => {
      commits += 1;
      return real.commit(fn);
    },
  };
  const settings = testSettings();
  const account = testAddress(1);
  const device = deviceFromSeed(new Uint8Array(32).fill(9));
  const validator = VALIDATORS[0] as DeviceIdentity;
  const nowMs = () => Date.now();
  const payee = new PayeeService({
    store,
    settings,
    account,
    device,
    windowCapUnits: WINDOW_CAP_UNITS,
    isRefused: () => false,
    nowMs,
  });
  // All payers share a device: making keys is not what is measured.
  const payerDevice = deviceFromSeed(new Uint8Array(32).fill(8));
  const open = (i: number, units: number): { channel: PayeeChannel; ticks: Uint8Array } => {
    const seed = sha256(Buffer.from(`${i}`));
    const chain = TickChain.fromSeed(seed, units, sha256);
    const ticks = new Uint8Array((units + 1) * 32);
    for (let index = 0; index <= units; index++) ticks.set(chain.tick(index), index * 32);
    const expiresAtMs = nowMs() + LIFE_MS;
    const terms = {
      networkId: settings.networkId,
      shard: 0,
      payer: testAddress(1_000 + i),
      payee: account,
      payerDevice: payerDevice.publicKey,
      payeeDevice: device.publicKey,
      capacityUnits: units,
      anchor: chain.anchor,
      expiresAtMs,
      nonce: new Uint8Array(16),
    };
    const bytes = encodeTerms(terms);
    const channelId = channelIdOf(encodeTerms(terms), sha256);
    const lease = encodeLease({ channelId, shard: 0, capacityUnits: units, expiresAtMs });
    const channel = payee.open(
      { account: terms.payer, device: payerDevice.publicKey },
      { terms: bytes, termsSignature: payerDevice.sign(bytes), leaseSignature: validator.sign(lease) },
    );
    return { channel, ticks };
  };
  return { open, close: () => store.close(), commits: () => commits };
}

/** A copy, as the tick of a message is. */
function tickAt(ticks: Uint8Array, index: number): Uint8Array {
  return ticks.slice(index * 32, (index + 1) * 32);
}

function rounded(rounds: number, count: number, run: () => void): number[] {
  run(); // the first is slower, while the code is being compiled
  return Array.from({ length: rounds }, () => {
    const startedAtMs = performance.now();
    run();
    return rate(count, startedAtMs);
  });
}

function rssMib(): number {
  return Math.round(process.memoryUsage().rss / 1_048_576);
}
