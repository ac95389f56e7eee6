/** The node's log: JSON lines. Keys, phrases and tokens never go in. */
import pino, { type Logger } from 'pino';

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** Writes to a file in the data directory; `null` is silent (tests). */
export function createLog(file: string | null): Log {
  if (file === null) return pino({ level: 'silent' });
  return pino({ level: 'info', base: null }, pino.destination({ dest: file, sync: true, mkdir: true }));
}
