/** `ace-node play CONTENT_ID [--out FILE]`: a playback address, or the whole content in a file. */
import { get, type IncomingMessage } from 'node:http';
import { Transform } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { AceError, type ErrorCode } from '../../shared/errors.ts';
import { formatBytes } from '../../shared/format-bytes.ts';
import type { TransferView } from '../../shared/rpc/content.ts';
import { feedListener } from '../../shared/rpc/rpc.ts';
import { shownName } from '../../shared/shown-name.ts';
import { waitingUrl } from '../../shared/waiting-url.ts';
import { parseContentId } from '../content/transport-file.ts';
import type { NodeConfig } from '../data-dir/config.ts';
import { onStopSignal, stopSignal } from '../process/stop-signals.ts';
import { givenPath } from '../util/given-path.ts';
import { type NodeConnection, openConnection } from './node-connection.ts';
import { createProgress } from './progress.ts';
import { checkTarget, STANDARD_OUTPUT, saveAs } from './save-file.ts';

export interface PlayOptions {
  readonly out?: string;
  /** Overwrite the file that is there. */
  readonly force?: boolean;
  /** Wait for a top-up instead of ending when the credit is used up. */
  readonly wait?: boolean;
}

/** What may end by itself, and how long it may take before the command gives up. */
const WAITS_MS: Partial<Record<ErrorCode, number>> = {
  NoProviders: 15_000,
  ProviderStopped: 15_000,
  CacheFull: 10_000,
};

/** What only the user can end. */
const ENDING: ReadonlySet<ErrorCode> = new Set([
  'StoreFailed',
  'DataDirNotWritable',
  'OwnClockWrong',
  'AccessNeeded',
  'AccessExpired',
]);

export async function playCommand(config: NodeConfig, link: string, options: PlayOptions): Promise<void> {
  const contentId = parseContentId(link);
  const isSaved = options.out !== undefined;
  const out = options.out === undefined || options.out === STANDARD_OUTPUT ? null : givenPath(options.out);
  if (out !== null) await checkTarget(out, options.force === true);
  const connection = await openConnection(config);
  try {
    const { content, playbackUrl } = await connection.call('play', {
      contentId,
      download: isSaved && 'while-taken',
    });
    if (!isSaved) {
      const signalled = connection.remote ? null : stopSignal(); // a program that reads the address may send one at once
      process.stdout.write(`${playbackUrl}\n`);
      if (signalled === null) return;
      process.stderr.write('Open this address in a player. Ctrl-C ends the node.\n');
      await signalled;
      return;
    }
    await saveTo(connection, content, playbackUrl, out, options.wait === true);
    if (out !== null) process.stdout.write(`${out}\n`);
  } finally {
    await connection.close();
  }
}

async function saveTo(
  connection: NodeConnection,
  content: { readonly contentId: string; readonly name: string; readonly sizeBytes: number },
  playbackUrl: string,
  out: string | null,
  wait: boolean,
): Promise<void> {
  const progress = createProgress(content.name);
  const giveUp = new AbortController();
  const stopWatching = watchForTrouble(connection, content.contentId, wait, giveUp);
  onStopSignal(() => giveUp.abort(new AceError('PeerClosed', 'Interrupted: what was fetched is kept')));
  let doneBytes = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      doneBytes += chunk.byteLength;
      progress.update(doneBytes, content.sizeBytes);
      done(null, chunk);
    },
  });
  try {
    const response = await open(waitingUrl(playbackUrl), giveUp.signal);
    if (response.statusCode !== 200) {
      const words = (await text(response)).trim() || `The node answered ${response.statusCode}`;
      throw new AceError('NoProviders', words);
    }
    const write = async (to: NodeJS.WritableStream) => {
      await pipeline(response, count, to, { signal: giveUp.signal, end: to !== process.stdout });
      if (doneBytes !== content.sizeBytes) throw nodeStopped();
    };
    await (out === null ? write(process.stdout) : saveAs(out, write));
  } catch (error) {
    // `play --out - | head`: the reader has enough.
    if (out === null && isClosedPipe(error)) return;
    throw giveUp.signal.aborted ? giveUp.signal.reason : inNodeWords(error);
  } finally {
    stopWatching();
    progress.end();
  }
}

/** A response that may take its time: `fetch` gives up on one that is silent for five minutes. */
async function open(url: string, signal: AbortSignal): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  get(url, { signal }).once('response', resolve).on('error', reject);
  return promise;
}

function isClosedPipe(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EPIPE';
}

function inNodeWords(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ECONNRESET' || code === 'ECONNREFUSED' ? nodeStopped(error) : error;
}

function nodeStopped(cause?: unknown): AceError {
  return new AceError(
    'PeerClosed',
    'The node stopped before all was there: start it again and repeat the command, what was fetched is kept',
    { cause },
  );
}

/** Ends the job with the transfer's own reason once waiting makes no sense. */
function watchForTrouble(
  connection: NodeConnection,
  contentId: string,
  wait: boolean,
  giveUp: AbortController,
): () => void {
  let waiting: { readonly code: ErrorCode; readonly timer: NodeJS.Timeout } | null = null;
  let isNoted = false;
  const look = (transfer: TransferView | undefined, cacheBytes: number | null) => {
    if (transfer?.window && !isNoted) process.stderr.write(`${windowNote(transfer, cacheBytes)}\n`);
    isNoted ||= transfer?.window === true;
    const reason = transfer?.reason ?? null;
    if (reason?.code === 'CreditExhausted' && !wait) {
      const note = 'what was fetched is kept; add --wait to wait for a top-up';
      giveUp.abort(new AceError('CreditExhausted', `${reason.message} (${note})`));
    }
    if (reason && ENDING.has(reason.code)) giveUp.abort(new AceError(reason.code, reason.message));
    if (waiting && waiting.code !== reason?.code) {
      clearTimeout(waiting.timer);
      waiting = null;
    }
    const waitMs = reason ? WAITS_MS[reason.code] : undefined;
    if (!reason || waitMs === undefined || waiting) return;
    const stop = () => giveUp.abort(new AceError(reason.code, reason.message));
    waiting = { code: reason.code, timer: setTimeout(stop, waitMs) };
  };
  const unsubscribe = connection.subscribe(
    feedListener({
      snapshot: ({ transfers, limits }) =>
        look(
          transfers.find((transfer) => transfer.contentId === contentId),
          limits.settings.cacheBytes,
        ),
    }),
  );
  return () => {
    clearTimeout(waiting?.timer);
    unsubscribe();
  };
}

/** What it means that not all of a content fits on the disk. */
export function windowNote({ name, sizeBytes }: TransferView, cacheBytes: number | null): string {
  const limit = cacheBytes === null ? '' : ` of ${formatBytes(cacheBytes)}`;
  return `"${shownName(name)}" (${formatBytes(sizeBytes)}) does not fit within the disk limit${limit}: it is fetched as it is read, and what is read again is paid again.`;
}
