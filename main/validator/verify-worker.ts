/**
 * A worker thread of `verify-pool.ts`: checks claims, knows nothing else. It opens no database and holds no secret; all
 * that it needs comes with the jobs.
 */
import { parentPort } from 'node:worker_threads';
import { AceError, invariant } from '../../shared/errors.ts';
import { checkClaim } from './claim-check.ts';
import { type ClaimJob, type JobsMessage, type Outcome, packOutcomes, unpackJobs } from './claim-jobs.ts';

invariant(parentPort !== null, 'this file runs as a worker');
const port = parentPort;

port.on('message', ({ id, jobs }: JobsMessage) => {
  const answer = packOutcomes(unpackJobs(jobs).map(outcomeOf));
  port.postMessage({ id, ...answer }, [answer.outcomes.buffer]);
});

/** An error that has no name ends this worker: its jobs are done again elsewhere. */
function outcomeOf({ basis, claim }: ClaimJob): Outcome {
  try {
    return { proven: checkClaim(basis, claim) };
  } catch (error) {
    if (error instanceof AceError) return { refusal: error };
    throw error;
  }
}
