/**
 * A node that only looks like one: the real HTTP server and WebSocket on a service whose figures move by themselves.
 * For tests of the transports, and for looking at the pages:
 *
 *   node test/helpers/fake-node.ts [normal|exhausted|empty] [PORT] [VIDEO.mp4]
 */
import { createReadStream, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { type HttpServer, startHttpServer } from '../../main/rpc/http.ts';
import { type FakeScenario, FakeService } from './fake-service.ts';

export const FAKE_TOKEN = 'fake-token';

/** Any content path answers with this file, or 404 without one. One range of bytes, as players ask. */
function fileHandler(file: string | null): (req: IncomingMessage, res: ServerResponse) => void {
  return (req, res) => {
    if (file === null) {
      res.statusCode = 404;
      res.end();
      return;
    }
    const size = statSync(file).size;
    const range = /^bytes=(\d+)-(\d*)$/.exec(req.headers.range ?? '');
    const start = range ? Number(range[1]) : 0;
    const end = range?.[2] ? Number(range[2]) : size - 1;
    res.statusCode = range ? 206 : 200;
    res.setHeader('Content-Type', 'video/mp4');
    res.setHeader('Accept-Ranges', 'bytes');
    res.setHeader('Content-Length', end - start + 1);
    if (range) res.setHeader('Content-Range', `bytes ${start}-${end}/${size}`);
    createReadStream(file, { start, end }).pipe(res);
  };
}

export interface FakeNode extends HttpServer {
  readonly service: FakeService;
}

export interface FakeNodeOptions {
  readonly scenario?: FakeScenario;
  readonly port?: number;
  readonly pagesDir?: string;
  readonly video?: string | null;
}

export async function startFakeNode(options: FakeNodeOptions = {}): Promise<FakeNode> {
  const { scenario = 'normal', port = 0, video = null } = options;
  const service = new FakeService(scenario, video === null ? undefined : statSync(video).size);
  const http = await startHttpServer({
    port,
    pagesDir: options.pagesDir ?? join(import.meta.dirname, '../../out/renderer'),
    token: FAKE_TOKEN,
    service,
    content: fileHandler(video),
  });
  service.pagesUrl = http.url;
  const stop = service.start();
  return {
    ...http,
    service,
    close: async () => {
      stop();
      await http.close();
    },
  };
}

if (process.argv[1] === import.meta.filename) {
  const [scenario = 'normal', port = '0', video = null, pagesDir] = process.argv.slice(2);
  const node = await startFakeNode({
    scenario: scenario as FakeScenario,
    port: Number(port),
    video,
    ...(pagesDir !== undefined && { pagesDir }),
  });
  console.log(`${node.url}#token=${FAKE_TOKEN}`);
}
