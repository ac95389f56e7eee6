/**
 * The node's log: JSON lines. Keys, phrases and tokens never go in.
 *
 * Invariants: writing a line neither throws nor waits for anything but the disk, and is done when the call returns, so
 * that the lines before a crash are there; only the user can read it; it never takes more than twice
 * {@link MAX_LOG_BYTES}, and strangers cannot fill that quickly (`repeated-lines.ts`).
 */
import pino, { type Logger, type LoggerOptions } from 'pino';
import { AceError } from '../../shared/errors.ts';
import { BoundedFile } from './bounded-file.ts';
import { type LeftOut, MINUTE_MS, RepeatedLines } from './repeated-lines.ts';

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** Weeks of an ordinary node; little beside one content. */
export const MAX_LOG_BYTES = 10_485_760;
/** Where an error arose is in its first frames; what a peer sent may stand in its message, and be long. */
const MAX_STACK_CHARS = 1_000;
const MAX_MESSAGE_CHARS = 300;

const WARN = pino.levels.values.warn ?? 40;

/**
 * Writes to a file in the data directory; `null` is silent (tests). `nowMs` is a clock that nobody sets.
 * @param maxBytes then the file is turned over
 */
export function createLog(
  file: string | null,
  nowMs: () => number = () => performance.now(),
  maxBytes: number = MAX_LOG_BYTES,
): Log {
  if (file === null) return pino({ level: 'silent' });
  const out = new BoundedFile({
    ...{ path: file, maxBytes, missing },
    onFailure: (cause) =>
      process.stderr.write(
        `ace-node: ${file} cannot be written (${codeOf(cause)}): lines are left out until it can\n`,
      ),
  });
  const options: LoggerOptions = { level: 'info', base: null, serializers: { err: plainError } };
  // Sums are written past the hook that makes them.
  const sums = pino(options, out);
  const repeated = new RepeatedLines(nowMs);
  let isPlanned = false;
  const sumUp = () => {
    for (const leftOut of repeated.ended()) writeSum(sums, leftOut);
  };
  return pino(
    {
      ...options,
      hooks: {
        logMethod(args, method, level) {
          sumUp();
          const [fields, text] = args as unknown as [unknown, unknown];
          const kind = { level, text: String(typeof fields === 'string' ? fields : text) };
          if (repeated.take(kind, peerOf(fields))) {
            method.apply(this, args);
            return;
          }
          if (isPlanned) return;
          isPlanned = true;
          // Ends by itself within a minute, and holds nothing up.
          setTimeout(() => {
            isPlanned = false;
            sumUp();
          }, MINUTE_MS).unref();
        },
      },
    },
    out,
  );
}

function writeSum(log: Logger, { level, text, lines, peers, peer }: LeftOut): void {
  const fields = { leftOut: lines, ...(peers > 0 && { peers }), ...(peer !== null && { peer }) };
  const method = level > WARN ? 'error' : level === WARN ? 'warn' : 'info';
  log[method](fields, `more of the same in the last minute: ${text}`);
}

function missing(lines: number, cause: unknown): string {
  const line = { level: WARN, time: Date.now(), missing: lines, code: codeOf(cause) };
  return `${JSON.stringify({ ...line, msg: 'lines are missing here: the log could not be written' })}\n`;
}

function peerOf(fields: unknown): string | null {
  if (typeof fields !== 'object' || fields === null) return null;
  return 'peer' in fields && typeof fields.peer === 'string' ? fields.peer : null;
}

function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException | null)?.code ?? error);
}

/** An error and its causes, each part bounded: parsers put into them what they were given. */
function plainError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { type, message, stack } = pino.stdSerializers.err(error);
  return {
    type,
    ...('code' in error && { code: cut(String(error.code), MAX_MESSAGE_CHARS) }),
    message: cut(message, MAX_MESSAGE_CHARS),
    ...(error instanceof AceError && { details: cut(asJson(error.details), MAX_MESSAGE_CHARS) }),
    stack: cut(stack, MAX_STACK_CHARS),
  };
}

/** Without control characters, each of which takes six bytes in JSON. */
function cut(text: string, maxChars: number): string {
  return text.slice(0, maxChars).replace(/[\p{Cc}--\n]/gv, '\ufffd');
}

/** Details of an error that came over the wire may be anything. */
function asJson(details: unknown): string {
  try {
    return JSON.stringify(details);
  } catch {
    return 'no JSON';
  }
}
