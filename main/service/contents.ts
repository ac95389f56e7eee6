/** Contents as the procedures show them: the library, imports, and playing. */
import { AceError } from '../../shared/errors.ts';
import type { ContentView } from '../../shared/rpc/content.ts';
import type { Feed, Output } from '../../shared/rpc/rpc.ts';
import { findFiles } from '../content/find-files.ts';
import { parseContentId } from '../content/transport-file.ts';
import type { BroadcastRow } from '../db/node/broadcasts.ts';
import type { ListedContent } from '../db/node/contents.ts';
import { onlyWatched } from '../live/live.ts';
import type { RunningPeer } from '../peer/peer.ts';
import { contentUrl } from '../players/addresses.ts';
import { manifestPath } from '../players/live-http.ts';
import { WAIT_MS as TRACKS_WAIT_MS, TrackBook } from '../players/track-book.ts';
import type { NodeService } from '../rpc/service.ts';
import { givenPath } from '../util/given-path.ts';
import { accessViewOf, askedPrice } from './access.ts';
import { liveContentView } from './broadcasts.ts';
import { contentView } from './views.ts';

export interface ContentServiceOptions {
  readonly peer: RunningPeer;
  /** Base of playback addresses; `null` before the server listens. */
  readonly pagesUrl: () => string | null;
  /** How far an import has come; called often. */
  readonly onImporting: (progress: Feed['importing']) => void;
}

type ContentProcedures = Pick<
  NodeService,
  | 'contents'
  | 'importFile'
  | 'filesIn'
  | 'deleteContent'
  | 'pinContent'
  | 'pauseContent'
  | 'play'
  | 'tracks'
  | 'stop'
>;

/** An import reports how far it has come at most this often. */
const PROGRESS_EVERY_MS = 250;

/** A title of the library, with its price where it has one. */
export function titleView({ access }: Pick<RunningPeer, 'access'>, row: ListedContent): ContentView {
  const terms = row.sold ? accessViewOf(access, row.contentId) : null;
  return { ...contentView(row), ...(terms && { access: terms }) };
}

function broadcastTitle(
  { access, live }: Pick<RunningPeer, 'access' | 'live'>,
  row: BroadcastRow,
): ContentView {
  const terms = accessViewOf(access, row.contentId);
  return { ...liveContentView(row, live.book.window(row.contentId)), ...(terms && { access: terms }) };
}

export async function contentViews(peer: RunningPeer): Promise<ContentView[]> {
  return [
    ...(await peer.store.contents.listInParts()).map((row) => titleView(peer, row)),
    ...peer.store.broadcasts.list().map((row) => broadcastTitle(peer, row)),
  ];
}

export function contentProcedures({ peer, pagesUrl, onImporting }: ContentServiceOptions): ContentProcedures {
  const { store, library, live, pieces } = peer;
  const trackBook = new TrackBook(pieces);
  return {
    contents: async () => contentViews(peer),
    async importFile({ path, name, copy, priceXac, premium }) {
      let shownAtMs = 0;
      const onProgress = (doneBytes: number, sizeBytes: number) => {
        const nowMs = Date.now();
        if (nowMs - shownAtMs < PROGRESS_EVERY_MS && doneBytes < sizeBytes) return;
        shownAtMs = nowMs;
        onImporting({ path, doneBytes, sizeBytes });
      };
      return titleView(
        peer,
        await peer.import({
          path: givenPath(path),
          byReference: !copy,
          onProgress,
          ...(name !== undefined && { name }),
          ...(priceXac !== undefined && { priceXac: askedPrice(priceXac), premium: premium === true }),
        }),
      );
    },
    filesIn: async ({ path }) => findFiles(givenPath(path)),
    async deleteContent({ contentId, force }) {
      await peer.deleteContent(contentId, force);
      return {};
    },
    pinContent: async ({ contentId, pinned }) => titleView(peer, library.pin(contentId, pinned)),
    pauseContent: async ({ contentId, paused }) => titleView(peer, peer.pauseSharing(contentId, paused)),
    async play({ contentId, download }) {
      const broadcast = await live.broadcastOf(contentId);
      if (broadcast !== null) return playLive(peer, pagesUrl(), broadcast, download !== false);
      const transfer = await library.transfer(contentId);
      // What does not fit is fetched as it is taken.
      if (download === true && pieces.cache.fits(transfer.contentId)) transfer.download();
      const row = store.contents.get(transfer.contentId);
      const base = pagesUrl();
      if (!row || base === null) throw new AceError('Internal', 'The content cannot be played yet');
      return {
        content: titleView(peer, row),
        playbackUrl: contentUrl(base, transfer.contentId, download !== false),
      };
    },
    async tracks({ contentId }) {
      const broadcast = await live.broadcastOf(contentId);
      const transfer =
        broadcast === null
          ? await library.transfer(contentId)
          : await live.watch(broadcast).described(TRACKS_WAIT_MS);
      return { tracks: transfer && (await trackBook.tracks(transfer)) };
    },
    stop: async ({ contentId }) => {
      const unwatched = await live.unwatch(parseContentId(contentId));
      return { stopped: unwatched || (await library.stopTransfer(contentId)) };
    },
  };
}

function playLive(
  peer: RunningPeer,
  base: string | null,
  broadcast: string,
  download: boolean,
): Output<'play'> {
  const { live } = peer;
  const row = live.book.row(broadcast);
  if (download) throw onlyWatched(row.name);
  if (base === null) throw new AceError('Internal', 'The content cannot be played yet');
  live.watch(broadcast);
  return {
    content: broadcastTitle(peer, row),
    playbackUrl: new URL(manifestPath(broadcast), base).href,
  };
}
