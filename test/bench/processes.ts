/** Processes of a bench that live for a while: each says one line when it is ready, and may say more. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface Role {
  /** Its first line. */
  readonly ready: string;
  nextLine(): Promise<string>;
  /** CPU time of all its threads since it began, in milliseconds; `null` where the system does not tell (no Linux). */
  cpuMs(): number | null;
  end(): void;
}

const children: ChildProcess[] = [];

/** Starts one role of a bench's script. @throws Error when it ends without a word */
export async function startRole(
  script: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Role> {
  const child = spawn(process.execPath, [join(import.meta.dirname, script), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout });
  const waiting: string[] = [];
  lines.on('line', (line) => waiting.push(line));
  const nextLine = async (): Promise<string> => {
    while (waiting.length === 0) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`${args[0]} ended with ${child.exitCode ?? child.signalCode}`);
      await Promise.race([once(lines, 'line'), once(child, 'exit')]);
    }
    return waiting.shift() ?? '';
  };
  return {
    ready: await nextLine(),
    nextLine,
    cpuMs: () => cpuMsOf(child.pid),
    end: () => child.kill('SIGKILL'),
  };
}

/** Linux counts in hundredths of a second: see proc(5). */
function cpuMsOf(pid: number | undefined): number | null {
  if (process.platform !== 'linux') return null;
  const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const [user, system] = fields.split(' ').slice(11, 13).map(Number);
  return 10 * ((user ?? 0) + (system ?? 0));
}

/** Stops whatever still runs. */
export function endRoles(): void {
  for (const child of children.splice(0)) child.kill('SIGKILL');
}
