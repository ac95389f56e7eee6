/** A node that plays what one peer provides, for a file of tests: over HTTP, as players do. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type RunningNode, startNode } from '../../main/node/node.ts';
import { Devnet, joinedNode, type TestPeer } from './devnet.ts';
import { makeFile } from './files.ts';

export class PlayingNode {
  net!: Devnet;
  provider!: TestPeer;
  node!: RunningNode;
  /** Of the provider's first content. */
  contentId!: string;
  bytes!: Buffer;

  /** @param name of a file of so many bytes, the first content */
  constructor(name: string, sizeBytes: number) {
    beforeAll(async () => {
      this.net = await Devnet.start();
      this.provider = await this.net.peer('provider');
      const path = await makeFile(join(this.net.dir, name), sizeBytes);
      this.bytes = readFileSync(path);
      this.contentId = (await this.provider.import({ path })).contentId;
      this.node = await startNode(joinedNode(this.net));
    });
    afterAll(async () => {
      await this.node?.stop();
      await this.net?.stop();
    });
  }

  at(path: string): URL {
    return new URL(path, this.node.http.url);
  }

  /** Asks for the first content. */
  play(headers: Record<string, string> = {}, method = 'GET'): Promise<Response> {
    return fetch(this.at(`/content/${this.contentId}`), { method, headers });
  }
}

export async function bodyOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer());
}
