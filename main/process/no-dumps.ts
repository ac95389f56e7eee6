/**
 * Keeps what is in memory, keys among it, out of what a crash leaves behind. Runs when it is imported, before anything
 * secret is read.
 *
 * Linux: a core file then holds no memory of this process (core(5), `coredump_filter`); its children inherit that.
 * Elsewhere the system's own limit on core files is what there is. Node's diagnostic report leaves the environment out,
 * which may hold the passphrase.
 */
import { writeFileSync } from 'node:fs';

if (process.platform === 'linux') {
  try {
    writeFileSync('/proc/self/coredump_filter', '0');
  } catch {
    // A sandbox without /proc: nothing that could be done, and no reason not to run.
  }
}
if (process.report) process.report.excludeEnv = true;
