/** A worker of claims that dies of its first message; once, as a file in `ACE_TEST_DIES_ONCE` remembers. */
import { existsSync, writeFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';

const died = process.env.ACE_TEST_DIES_ONCE ?? '';
if (existsSync(died)) await import('../../main/validator/verify-worker.ts');
else
  parentPort?.once('message', () => {
    writeFileSync(died, '');
    throw new Error('out of memory, as it were');
  });
