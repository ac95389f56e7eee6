/**
 * A file that a page hands over, where the page has no path of it: `POST /import?name=<name>` with the file as its body
 * and the token in `Authorization`. It becomes a content of this node, copied. A body that breaks off leaves nothing.
 */
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { AceError, isAceError } from '../../shared/errors.ts';
import type { ContentView } from '../../shared/rpc/content.ts';
import type { RpcFailure } from '../../shared/rpc/rpc.ts';
import { UPLOAD_PATH } from '../../shared/rpc/rpc.ts';
import { isContentName, MAX_CONTENT_BYTES } from '../content/transport-file.ts';
import { storeError } from '../db/open.ts';
import type { Log } from '../process/log.ts';
import { tokenMatches } from '../rpc/guard.ts';

/** What access to it costs; `null`: nothing. */
export interface UploadPrice {
  readonly priceXac: string | null;
  readonly premium: boolean;
}

export interface UploadContext {
  readonly token: () => string;
  /** A path in the piece store that nobody has. */
  readonly temporaryPath: () => string;
  /** @throws AceError as `importFile` */
  readonly import: (path: string, name: string, price: UploadPrice) => Promise<ContentView>;
  readonly log: Log;
}

type Handler = (req: IncomingMessage, res: ServerResponse) => void;

/** Takes uploads, and hands everything else to `next`. */
export function uploadHandler(context: UploadContext, next: Handler): Handler {
  return (req, res) => {
    const url = new URL(req.url ?? '/', 'http://127.0.0.1');
    if (url.pathname !== UPLOAD_PATH) return next(req, res);
    const price = {
      priceXac: url.searchParams.get('price'),
      premium: url.searchParams.get('premium') === '1',
    };
    take(context, req, url.searchParams.get('name') ?? '', price).then(
      (content) => answer(res, 200, content),
      (error: unknown) => {
        // A page that has gone away gets no answer; what it sent is gone by now.
        if (req.destroyed && !req.complete) return;
        if (!isAceError(error)) context.log.error({ err: error }, 'an upload failed');
        const failure: RpcFailure = isAceError(error)
          ? { code: error.code, message: error.message, details: error.details }
          : { code: 'Internal', message: 'Something went wrong inside the node. Its log says more.' };
        // What follows of a body that is refused is not read.
        res.setHeader('Connection', 'close');
        answer(res, isAceError(error, 'NotAllowed') ? 401 : 400, failure, () => {
          if (!req.complete) req.destroy();
        });
      },
    );
  };
}

async function take(
  context: UploadContext,
  req: IncomingMessage,
  name: string,
  price: UploadPrice,
): Promise<ContentView> {
  if (req.method !== 'POST') throw new AceError('InvalidInput', 'A file is sent with POST');
  const given = /^Bearer (\S+)$/.exec(req.headers.authorization ?? '')?.[1];
  if (!tokenMatches(given, context.token())) throw new AceError('NotAllowed', 'An upload takes the token');
  if (!isContentName(name))
    throw new AceError('InvalidInput', `name: "${name}" cannot be the name of a content`, {
      details: { field: 'name', reason: 'name' },
    });
  if (Number(req.headers['content-length'] ?? 0) > MAX_CONTENT_BYTES) throw tooLarge(name);
  const path = context.temporaryPath();
  try {
    await pipeline(req, limited(name), createWriteStream(path, { flags: 'wx', mode: 0o600 }));
    return await context.import(path, name, price);
  } catch (error) {
    throw storeError(error, path);
  } finally {
    await rm(path, { force: true });
  }
}

/** A body may be longer than announced. */
function limited(name: string) {
  return async function* (body: AsyncIterable<Buffer>) {
    let bytes = 0;
    for await (const part of body) {
      bytes += part.byteLength;
      if (bytes > MAX_CONTENT_BYTES) throw tooLarge(name);
      yield part;
    }
  };
}

function tooLarge(name: string): AceError {
  return new AceError('ContentTooLarge', `${name} is larger than 64 GB`);
}

function answer(res: ServerResponse, status: number, body: object, done?: () => void): void {
  res
    .writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
    .end(JSON.stringify(body), done);
}
