/** A payer whose shard answers a lease with half a unit. Ends with code 0 when that was an error like any other. */

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PayerService } from '../../main/channel/payer.ts';
import { openNodeStore } from '../../main/db/node/store.ts';
import { remoteError } from '../../main/p2p/requests.ts';
import { testSettings } from './chain.ts';
import { party, START_MS } from './shard.ts';

const [me, provider] = [party(1), party(2)];
const service = new PayerService({
  store: openNodeStore(join(mkdtempSync(join(tmpdir(), 'ace-')), 'node.db')),
  settings: testSettings({}),
  account: me.account.address,
  device: me.device,
  nowMs: () => START_MS,
  leases: {
    shard: 0,
    leasableUnits: async () => 1_000,
    // What `ShardClient.call` throws for this answer of the shard.
    lease: async () => {
      throw remoteError({ code: 'CreditExhausted', details: { leasableUnits: 1.5 } });
    },
  },
});
const payee = { account: provider.account.address, device: provider.device.publicKey };
await service.channelTo(payee, 4).catch(() => undefined);
process.stdout.write('alive');
process.exit(0);
