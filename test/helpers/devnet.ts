/**
 * A real devnet in this process: a validator with its chain, and as many peers as a test wants, each with its own
 * folder, wallet, database and libp2p host on loopback.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { NodeConfig } from '../../main/data-dir/config.ts';
import { DataDir } from '../../main/data-dir/data-dir.ts';
import type { ContentRow } from '../../main/db/node/contents.ts';
import { type PeerOptions, type RunningPeer, startPeer } from '../../main/peer/peer.ts';
import type { PiecesTimeouts } from '../../main/pieces/constants.ts';
import { createLog, type Log } from '../../main/process/log.ts';
import type { Clocks } from '../../main/util/steady-clock.ts';
import { runDevnetValidator } from '../../main/validator/devnet.ts';
import type { RunningValidator } from '../../main/validator/running-validator.ts';
import { saveWallet, type WalletSecrets } from '../../main/wallet/keystore.ts';
import type { DevnetProfile } from '../../shared/devnet-profile.ts';
import type { Place } from '../../shared/economy/holdings.ts';
import { TOKENS } from '../../shared/economy/money.ts';
import { AceError, type ErrorCode } from '../../shared/errors.ts';
import { heldAndOwed } from './chain.ts';
import { makeFile } from './files.ts';
import { waitFor } from './wait.ts';

export const MIB = 1_048_576;

/** Quick settling, and a price of 1 GB that is a round number of XAT. */
export const TEST_PROFILE: DevnetProfile = {
  trafficCreditLimitUnits: 10_240,
  trafficRateGbPerHour: '4',
  priorWeightHours: 10_000,
  xacPerXat: '1',
  settlementIntervalMs: 200,
  faucetXat: 1_000_000,
};

/** A test that turns `Date.now` has that time pass: the validator's clock does not jump. */
const TURNED_CLOCKS: Clocks = { wallMs: () => Date.now(), uptimeMs: () => Date.now() };

export interface TestPeer extends RunningPeer {
  readonly dir: string;
  /** Everything that the peer warned of, newest last. */
  readonly warnings: readonly AceError[];
}

export class Devnet {
  readonly dir: string;
  readonly validator: RunningValidator;
  readonly #stops = new Set<() => Promise<void>>();
  readonly #validatorWarnings: readonly AceError[];
  #names = 0;

  private constructor(dir: string, validator: RunningValidator, warnings: readonly AceError[]) {
    this.dir = dir;
    this.validator = validator;
    this.#validatorWarnings = warnings;
  }

  /** The caller stops it; `useDevnet` does that by itself. */
  static async start(profile: Partial<DevnetProfile> = {}, clocks: Clocks = TURNED_CLOCKS): Promise<Devnet> {
    const dir = mkdtempSync(join(tmpdir(), 'ace-devnet-'));
    const warnings: AceError[] = [];
    const validator = await runDevnetValidator({
      dataDir: join(dir, 'validator'),
      port: 0,
      profile: { ...TEST_PROFILE, ...profile },
      log: recordingLog(warnings),
      clocks,
    });
    return new Devnet(dir, validator, warnings);
  }

  /** A peer in the folder `name`, with these secrets when it is new. The same name again starts the same peer. */
  async peer(
    name = `peer-${++this.#names}`,
    secrets?: WalletSecrets,
    timeouts?: PiecesTimeouts,
    shardMultiaddr = this.validator.multiaddr,
    risk: Pick<PeerOptions, 'clocks' | 'originOf' | 'riskLimits'> = {},
  ): Promise<TestPeer> {
    const dir = join(this.dir, name);
    mkdirSync(dir, { recursive: true });
    if (secrets) await saveWallet(join(dir, 'wallet.json'), secrets, { protection: 'none', devnet: true });
    const warnings: AceError[] = [];
    const peer = await startPeer({
      dataDir: new DataDir(dir),
      shardMultiaddr,
      p2pPort: 0,
      log: recordingLog(warnings),
      ...(timeouts && { timeouts }),
      ...risk,
    });
    const stop = this.owns(() => peer.stop());
    return { ...peer, dir, warnings, stop };
  }

  /** Has `stop` called when the devnet stops, unless it was before. */
  owns(stop: () => Promise<void>): () => Promise<void> {
    const once = async () => {
      if (this.#stops.delete(once)) await stop();
    };
    this.#stops.add(once);
    return once;
  }

  /** Writes a file of deterministic bytes and has the peer import it. */
  async content(peer: RunningPeer, sizeBytes: number, name = `${sizeBytes}.bin`): Promise<ContentRow> {
    return peer.import({ path: await makeFile(join(this.dir, name), sizeBytes, name) });
  }

  async topUp(account: string, amountXat: bigint, place: Place = 'services'): Promise<void> {
    const anyone = await this.peer();
    await anyone.shardClient.call('faucet', { account, amountXat, place });
    await anyone.stop();
  }

  /** Errors that the validator gave to its log, whose file sums up what comes often: their codes. */
  validatorErrors(): ErrorCode[] {
    return this.#validatorWarnings.map(({ code }) => code);
  }

  /** Nothing was created or lost: for each token, accounts and pools hold genesis + emitted − burned. */
  async expectConserved(): Promise<void> {
    for (const token of TOKENS) {
      const { held, owed } = await heldAndOwed(this.validator.chain, token);
      expect(held).toBe(owed);
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#stops].map((stop) => stop()));
    await this.validator.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** A devnet for the running test. */
export async function useDevnet(profile: Partial<DevnetProfile> = {}): Promise<Devnet> {
  const net = await Devnet.start(profile);
  onTestFinished(() => net.stop());
  return net;
}

/** A devnet with one peer that provides one content, for a file of tests; the caller stops the devnet. */
export async function startProvided(
  sizeBytes: number,
): Promise<{ readonly net: Devnet; readonly provider: TestPeer; readonly content: ContentRow }> {
  const net = await Devnet.start();
  const provider = await net.peer('provider');
  return { net, provider, content: await net.content(provider, sizeBytes) };
}

/** Fetches a whole content and waits until it is there. */
export async function fetchWhole(peer: RunningPeer, contentId: string, timeoutMs = 60_000): Promise<void> {
  const transfer = await peer.library.transfer(contentId);
  transfer.download();
  await waitFor(
    `${contentId} fetched (state now: ${transfer.state})`,
    () => transfer.state === 'done',
    timeoutMs,
  );
}

/** Ends the transfer, so that its channel is closed, and waits until the shard confirmed all of the provider's ticks. */
export async function settleUp(viewer: RunningPeer, provider: RunningPeer, contentId: string): Promise<void> {
  await viewer.library.stopTransfer(contentId);
  await ticksArrived(viewer, provider);
  await provider.claims.now();
  await provider.shardClient.call('settle', {});
}

/** Resolves when the provider has the ticks of all that the viewer has paid it: the last ones may be on their way. */
export async function ticksArrived(viewer: RunningPeer, provider: RunningPeer): Promise<void> {
  await waitFor('the last tick is there', () => {
    const revealed = viewer.store.payerChannels
      .all()
      .filter(({ payee }) => payee === provider.account.address);
    const paid = provider.store.payeeChannels.all().filter(({ payer }) => payer === viewer.account.address);
    const units = (of: readonly number[]) => of.reduce((sum, one) => sum + one, 0);
    return (
      units(paid.map(({ state }) => state.paidUnits)) >=
      units(revealed.map(({ state }) => state.revealedUnits))
    );
  });
}

/** Units paid by ticks, as each side's database says. */
export function revealedUnits(viewer: RunningPeer): number {
  return viewer.store.payerChannels.revealedUnits();
}

export function paidUnits(provider: RunningPeer): number {
  return provider.store.payeeChannels.paidUnits();
}

/** Where a content's bytes are on a peer's disk. */
export function piecesFile(peer: TestPeer, contentId: string): string {
  return join(peer.dir, 'pieces', `${contentId}.pieces`);
}

function recordingLog(warnings: AceError[]): Log {
  const log = createLog(null);
  const record = (first: unknown) => {
    const { err } = first as { err?: unknown };
    if (err instanceof AceError) warnings.push(err);
    else if (err instanceof Error) warnings.push(new AceError('Internal', err.message, { cause: err }));
  };
  return { ...log, debug: () => {}, info: () => {}, warn: record, error: record } as Log;
}

/** Configuration of a node in the devnet's folder that joins it, without pages or a sample of its own. */
export function joinedNode(net: Devnet): NodeConfig {
  return {
    dataDir: join(net.dir, 'node'),
    joinMultiaddr: net.validator.multiaddr,
    httpPort: 0,
    resourcesDir: join(net.dir, 'no-resources'),
    pagesDir: join(net.dir, 'no-pages'),
  };
}
