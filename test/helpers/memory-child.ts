/** Imports, streams and pays a file of argv[2] MiB between two peers in this process; prints its largest memory as JSON. */
// First, as in every entry of the product: its heap is what is measured.
import { DataDir } from '../../main/data-dir/data-dir.ts';
import '../../main/process/heap.ts';

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startPeer } from '../../main/peer/peer.ts';
import { createLog } from '../../main/process/log.ts';
import { runDevnetValidator } from '../../main/validator/devnet.ts';
import { makeFile, sha256OfFile } from './files.ts';

const units = Number(process.argv[2]);
const dir = mkdtempSync(join(tmpdir(), 'ace-memory-'));
const validator = await runDevnetValidator({ dataDir: join(dir, 'validator'), port: 0 });
const peer = (name: string) => {
  mkdirSync(join(dir, name));
  return startPeer({
    dataDir: new DataDir(join(dir, name)),
    shardMultiaddr: validator.multiaddr,
    p2pPort: 0,
    log: createLog(null),
  });
};
const [provider, viewer] = [await peer('provider'), await peer('viewer')];
const path = await makeFile(join(dir, 'file.bin'), units * 1_048_576);
const { contentId } = await provider.import({ path });
const transfer = await viewer.library.transfer(contentId);
transfer.download();
while (transfer.state !== 'done') await delay(5);
await viewer.library.stopTransfer(contentId);
const match =
  (await sha256OfFile(join(dir, 'viewer', 'pieces', `${contentId}.pieces`))) === (await sha256OfFile(path));
const paid = provider.store.payeeChannels.paidUnits();
await Promise.all([viewer.stop(), provider.stop()]);
await validator.stop();
rmSync(dir, { recursive: true, force: true });
process.stdout.write(JSON.stringify({ peakBytes: process.resourceUsage().maxRSS * 1_024, match, paid }));
