/** Settles the shard at argv[2] and kills itself at the point argv[3]: `sealed` (not applied yet) or `applied` (not recorded yet). */
import type { MainChain } from '../../main/chain/port.ts';
import { settle } from '../../main/validator/batching.ts';
import type { SignedBatch } from '../../shared/chain.ts';
import { party, TestShard } from '../helpers/shard.ts';

const [dir = '', point] = process.argv.slice(2);
const shard = new TestShard(dir);
const [payer, first, second] = [party(1), party(2), party(3)];
shard.claim(await shard.lease(payer, first, 50), 40);
shard.claim(await shard.lease(payer, second, 50), 30);

const chain = new Proxy(shard.chain, {
  get(target, name: keyof MainChain) {
    if (name !== 'applyBatch') return (target[name] as () => unknown).bind(target);
    return async (batch: SignedBatch) => {
      if (point === 'applied') await target.applyBatch(batch);
      process.kill(process.pid, 'SIGKILL');
      await new Promise(() => {}); // the signal comes from outside
    };
  },
});
await settle({ ...shard.context, chain });
