/**
 * Opens everybody's books after the demo's processes have ended, and compares them: what the viewer revealed, what the
 * providers hold, what the shard batched, what the main chain moved.
 */
import type { ChainAccount } from '../../shared/chain.ts';
import { heldOf } from '../../shared/economy/holdings.ts';
import { formatAmount, TOKENS, type Token } from '../../shared/economy/money.ts';
import { POOLS, type Pool } from '../../shared/economy/settings.ts';
import type { HoldingsView } from '../../shared/rpc/holdings.ts';
import { openStoredChain } from '../chain/embedded/stored-chain.ts';
import type { MainChain } from '../chain/port.ts';
import { DataDir } from '../data-dir/data-dir.ts';
import { type NodeStore, openNodeStore } from '../db/node/store.ts';
import { openValidatorStore, type ValidatorStore } from '../db/validator/store.ts';
import { holdingsView } from '../service/views.ts';

export interface DemoDirs {
  readonly validatorDir: string;
  readonly viewerDir: string;
  readonly providerADir: string;
  readonly providerBDir: string;
}

type Decimals = Readonly<Record<Token, string>>;

export interface DemoBooks {
  /** Ticks that the viewer revealed, one per unit. */
  readonly ticks: number;
  /** Of these, what its batches paid from funds, took on credit, refused; and what it repaid. */
  readonly unitsPaid: number;
  readonly unitsOnCredit: number;
  readonly unitsRefused: number;
  readonly unitsRepaid: number;
  readonly creditLimit: number;
  readonly creditUsed: number;
  /** What lies in each account's two places, decimal token strings. */
  readonly accounts: Readonly<Record<string, HoldingsView & { readonly address: string }>>;
  readonly pools: Readonly<Record<Pool, Decimals>>;
  readonly supply: Readonly<
    Record<Token, { readonly genesis: string; readonly emitted: string; readonly burned: string }>
  >;
  readonly batches: number;
  /** Every check below holds. */
  readonly conserved: boolean;
  readonly checks: readonly { readonly rule: string; readonly holds: boolean }[];
}

/** In the order in which their books are opened. */
const ROLES = ['viewer', 'providerA', 'providerB'] as const;

export async function readBooks(dirs: DemoDirs): Promise<DemoBooks> {
  const validatorDir = new DataDir(dirs.validatorDir);
  const chain = openStoredChain(validatorDir.chainDb);
  const validator = openValidatorStore(validatorDir.validatorDb);
  const viewer = openNodeStore(new DataDir(dirs.viewerDir).nodeDb);
  const providers = [dirs.providerADir, dirs.providerBDir].map((dir) =>
    openNodeStore(new DataDir(dir).nodeDb),
  );
  try {
    const stores = [viewer, ...providers];
    const names = new Map(stores.map((store, i) => [store.meta.get('account') ?? '', ROLES[i]]));
    const viewerAddress = viewer.meta.get('account') ?? '';
    const viewerAccount = await chain.account(viewerAddress);
    const history = viewer.settlements
      .page(Number.MAX_SAFE_INTEGER, 1_000_000)
      .filter((row) => row.direction === 'paid');
    const sum = (pick: (row: (typeof history)[number]) => number) =>
      history.reduce((total, row) => total + pick(row), 0);
    const ticks = viewer.payerChannels.revealedUnits();
    const [unitsPaid, unitsOnCredit] = [sum((row) => row.paidUnits), sum((row) => row.creditUnits)];
    const [unitsRefused, unitsRepaid] = [sum((row) => row.refusedUnits), sum((row) => row.repaidUnits)];
    const held = ticksHeldFrom(providers, viewerAddress);
    const last = await chain.lastBatch(0);
    const accounts = await chain.accounts();

    const checks = [
      ...(await conservation(chain, accounts)),
      { rule: 'the providers hold exactly the ticks that the viewer revealed', holds: held === ticks },
      {
        rule: 'every tick of the viewer is settled once: paid, on credit, or refused',
        holds: unitsPaid + unitsOnCredit + unitsRefused === ticks,
      },
      { rule: 'no unit was refused', holds: unitsRefused === 0 },
      {
        rule: 'what is on credit and not repaid is the viewer’s traffic_credit_used',
        holds: unitsOnCredit - unitsRepaid === viewerAccount.creditUsedUnits,
      },
      ...creditChecks(chain, accounts, validator),
      {
        rule: 'every account’s history has the shard’s last statement',
        holds: sameHistory(stores, validator),
      },
    ];
    return {
      ticks,
      unitsPaid,
      unitsOnCredit,
      unitsRefused,
      unitsRepaid,
      creditLimit: chain.settings().trafficCreditLimitUnits,
      creditUsed: viewerAccount.creditUsedUnits,
      accounts: Object.fromEntries(
        accounts.map((account) => [
          names.get(account.address) ?? 'faucet',
          { address: account.address, ...holdingsView(account) },
        ]),
      ),
      pools: await poolDecimals(chain),
      supply: await supplyDecimals(chain),
      batches: last.number,
      conserved: checks.every(({ holds }) => holds),
      checks,
    };
  } finally {
    for (const store of [viewer, ...providers, validator]) store.close();
    await chain.close();
  }
}

/** Loans and the limit, of every account. */
function creditChecks(
  chain: MainChain,
  accounts: readonly ChainAccount[],
  { loans }: ValidatorStore,
): { rule: string; holds: boolean }[] {
  const limitUnits = chain.settings().trafficCreditLimitUnits;
  return [
    {
      rule: 'the loans on the second level are the traffic_credit_used of every account',
      holds: accounts.every(({ address, creditUsedUnits }) => loans.owedUnits(address) === creditUsedUnits),
    },
    {
      rule: 'nobody is over the credit limit',
      holds: accounts.every(({ creditUsedUnits }) => creditUsedUnits <= limitUnits),
    },
  ];
}

/** Token by token: nothing was created or lost. */
async function conservation(
  chain: MainChain,
  accounts: readonly ChainAccount[],
): Promise<{ rule: string; holds: boolean }[]> {
  const [pools, supply] = [await chain.pools(), await chain.supply()];
  const all = TOKENS.map((token) => {
    const inAccounts = accounts.reduce((total, account) => total + heldOf(account, token), 0n);
    const inPools = POOLS.reduce((total, pool) => total + pools[pool][token], 0n);
    const { genesis, emitted, burned } = supply[token];
    return {
      rule: `${token}: accounts + pools = genesis + emitted − burned`,
      holds: inAccounts + inPools === genesis + emitted - burned,
    };
  });
  return all;
}

function ticksHeldFrom(providers: readonly NodeStore[], payer: string): number {
  return providers
    .flatMap((store) => store.payeeChannels.all())
    .filter((row) => row.payer === payer)
    .reduce((total, row) => total + row.state.paidUnits, 0);
}

function sameHistory(
  stores: readonly NodeStore[],
  validator: ReturnType<typeof openValidatorStore>,
): boolean {
  return stores.every((store) => {
    const account = store.meta.get('account') ?? '';
    return store.settlements.lastSeq(0) === validator.batches.lastSeq(account);
  });
}

async function poolDecimals(chain: MainChain): Promise<DemoBooks['pools']> {
  const pools = await chain.pools();
  return Object.fromEntries(
    POOLS.map((pool) => [pool, decimals((token) => pools[pool][token])]),
  ) as DemoBooks['pools'];
}

async function supplyDecimals(chain: MainChain): Promise<DemoBooks['supply']> {
  const supply = await chain.supply();
  return Object.fromEntries(
    TOKENS.map((token) => {
      const { genesis, emitted, burned } = supply[token];
      return [
        token,
        { genesis: formatAmount(genesis), emitted: formatAmount(emitted), burned: formatAmount(burned) },
      ];
    }),
  ) as DemoBooks['supply'];
}

function decimals(of: (token: Token) => bigint): Decimals {
  return Object.fromEntries(TOKENS.map((token) => [token, formatAmount(of(token))])) as Decimals;
}
