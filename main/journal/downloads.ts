/**
 * Exports as downloads: a page asks for one and is given an address that works once and for a minute, so that a plain
 * link can fetch it and the address is worth nothing afterwards.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { LRUCache } from 'lru-cache';
import { isAceError } from '../../shared/errors.ts';
import { EXPORT_FILES, parseExportFormat, parseExportPeriod } from '../../shared/journal/export.ts';
import type { Log } from '../process/log.ts';
import { answerText } from '../rpc/answer-text.ts';
import { type ExportRequest, JournalExport } from './export/export.ts';

export const EXPORT_PATH = '/export';
const TICKET_TTL_MS = 60_000;
/** More than anyone clicks in a minute. */
const MAX_TICKETS = 100;

export interface DownloadOptions {
  /** The node's file. */
  readonly path: string;
  readonly nowMs: () => number;
  readonly log: Pick<Log, 'warn'>;
}

export interface AskedExport {
  readonly format: string;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly bom: boolean;
}

/** @throws AceError `InvalidInput` */
export function exportRequest({ format, from, to, bom }: AskedExport): ExportRequest {
  return { format: parseExportFormat(format), period: parseExportPeriod(from, to), bom };
}

export class JournalDownloads {
  readonly #options: DownloadOptions;
  /** What was asked for, by ticket. Of too many, the one given first goes. */
  readonly #tickets;

  constructor(options: DownloadOptions) {
    this.#options = options;
    this.#tickets = new LRUCache<string, ExportRequest>({
      max: MAX_TICKETS,
      ttl: TICKET_TTL_MS,
      ttlResolution: 0,
      perf: { now: options.nowMs },
    });
  }

  /** Path and query that serve it once. @throws AceError `InvalidInput` */
  offer(asked: AskedExport): { readonly path: string; readonly fileName: string } {
    const request = exportRequest(asked);
    const ticket = randomBytes(24).toString('base64url');
    this.#tickets.set(ticket, request);
    return { path: `${EXPORT_PATH}?ticket=${ticket}`, fileName: this.#fileName(request) };
  }

  /**
   * Answers a request that the guard let pass. `trusted`: it showed the node's token, and may ask without a ticket:
   * `?format=csv&from=…&to=…&bom=1`.
   */
  async serve(
    req: IncomingMessage,
    res: ServerResponse,
    query: URLSearchParams,
    trusted: boolean,
  ): Promise<void> {
    if (req.method !== 'GET') {
      res.setHeader('Allow', 'GET');
      return answerText(res, 405, 'An export can only be read');
    }
    try {
      const request = trusted && !query.has('ticket') ? asked(query) : this.#redeem(query.get('ticket'));
      if (!request) return answerText(res, 401, 'This address was used, or is too old: export again');
      await this.#send(res, request);
    } catch (error) {
      if (!res.headersSent && isAceError(error, 'InvalidInput')) return answerText(res, 400, error.message);
      // Cancelling a download closes the connection.
      if (!res.destroyed) this.#options.log.warn({ err: error }, 'an export failed');
      if (!res.headersSent) return answerText(res, 500, 'The export failed: the node’s log says why');
      res.destroy();
    }
  }

  async #send(res: ServerResponse, request: ExportRequest): Promise<void> {
    const journal = new JournalExport(this.#options.path, request);
    try {
      res.setHeader('Content-Type', EXPORT_FILES[request.format].type);
      res.setHeader('Content-Disposition', `attachment; filename="${this.#fileName(request)}"`);
      res.setHeader('Cache-Control', 'no-store');
      await pipeline(Readable.from(journal.pieces()), res);
    } finally {
      journal.close();
    }
  }

  #redeem(ticket: string | null): ExportRequest | null {
    if (ticket === null) return null;
    const request = this.#tickets.get(ticket);
    this.#tickets.delete(ticket);
    return request ?? null;
  }

  #fileName({ format }: ExportRequest): string {
    const day = new Date(this.#options.nowMs()).toISOString().slice(0, 10);
    return `ace-journal-${day}.${EXPORT_FILES[format].suffix}`;
  }
}

function asked(query: URLSearchParams): ExportRequest {
  return exportRequest({
    format: query.get('format') ?? '',
    from: query.get('from') ?? undefined,
    to: query.get('to') ?? undefined,
    bom: query.get('bom') === '1',
  });
}
