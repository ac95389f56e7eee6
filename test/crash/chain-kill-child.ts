/** Applies ever new batches to the chain at argv[2] until it is killed; says "applying N" before each, "applied N" after. */
import { writeSync } from 'node:fs';
import { openEmbeddedChain } from '../../main/chain/embedded/embedded-chain.ts';
import { nextBatch, sign } from '../helpers/chain.ts';
import { crashEntries, crashGenesis, crashSettings } from './chain-kill-load.ts';

// Written at once, not when the event loop gets to it: the parent kills by what it reads here.
const say = (line: string) => writeSync(1, `${line}\n`);

const path = process.argv[2] ?? '';
const chain = openEmbeddedChain({ path, settings: crashSettings, genesis: crashGenesis, nowMs: Date.now });
for (;;) {
  const signed = sign(await nextBatch(chain, crashEntries));
  say(`applying ${signed.batch.number}`);
  await chain.applyBatch(signed);
  say(`applied ${signed.batch.number}`);
}
