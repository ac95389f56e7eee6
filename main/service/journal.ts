/** What pages and the command line ask of the journal. */
import { setTimeout as delay } from 'node:timers/promises';
import { AceError, isAceError } from '../../shared/errors.ts';
import type { JournalOutputs, JournalVerification } from '../../shared/rpc/journal.ts';
import type { AccountPicture, AccountSync } from '../account/account-sync.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { JournalDownloads } from '../journal/downloads.ts';
import { type KnownAccount, verifyJournal } from '../journal/verify.ts';
import { balancesView, entriesView } from '../journal/views.ts';
import type { NodeService } from '../rpc/service.ts';

export interface JournalProceduresOptions {
  readonly store: NodeStore;
  /** The node's file. */
  readonly path: string;
  /** Lower case. */
  readonly account: string;
  readonly sync: Pick<AccountSync, 'refresh' | 'ask' | 'picture'>;
  readonly downloads: JournalDownloads;
  /** Base of addresses; `null` before the server listens. */
  readonly pagesUrl: () => string | null;
}

/** While something is being settled, shard and journal differ for a moment: a shard keeps balances for two seconds. */
const VERIFY_ATTEMPTS = 4;
const VERIFY_AGAIN_MS = 2_100;

export function journalProcedures(
  options: JournalProceduresOptions,
): Pick<NodeService, keyof JournalOutputs> {
  const { store, downloads, pagesUrl } = options;
  return {
    journalEntries: async (query) => entriesView(store, query),
    journalBalances: async () => balancesView(store),
    journalVerify: () => verify(options),
    async journalExport(asked) {
      const { path, fileName } = downloads.offer(asked);
      const base = pagesUrl();
      if (base === null) throw new AceError('Internal', 'The export cannot be fetched yet');
      return { url: new URL(path, base).href, fileName };
    },
  };
}

async function verify(options: JournalProceduresOptions): Promise<JournalVerification> {
  for (let attempt = 1; ; attempt++) {
    const { picture, asked } = await latest(options.sync);
    const shard = asked && known(asked);
    const result = await verifyJournal(options.path, options.account, picture && known(picture), shard);
    if (result.verified || shard === null || attempt === VERIFY_ATTEMPTS) return result;
    await delay(VERIFY_AGAIN_MS);
  }
}

/** What the node shows, and what the shard has after everything it sent was booked. */
async function latest(sync: JournalProceduresOptions['sync']) {
  try {
    const picture = await sync.refresh();
    return { picture, asked: await sync.ask() };
  } catch (error) {
    // Without its shard the node still knows what it was sent last.
    if (!isAceError(error)) throw error;
    return { picture: sync.picture, asked: null };
  }
}

function known({ account, asOfMs }: AccountPicture): KnownAccount {
  return { ...account, asOfMs };
}
