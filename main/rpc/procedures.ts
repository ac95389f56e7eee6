/**
 * The boundary of the node: whatever arrives by a transport is checked here, handed to the service, and every failure
 * is turned into one that may leave the process. A page is told the code and the text of an `AceError`; of anything
 * else it learns nothing but `Internal`, and the log has the rest.
 */
import type { ZodError, ZodType } from 'zod';
import { AceError } from '../../shared/errors.ts';
import { inputReason } from '../../shared/input-words.ts';
import { inputs, type Procedure, type RpcFailure } from '../../shared/rpc/rpc.ts';
import { storeError } from '../db/store-error.ts';
import { NO_LOG, type NodeService, type RpcLog } from './service.ts';
import { HEADLESS_SHELL, isShellProcedure, type ShellService } from './shell-service.ts';

/** Of objects in objects; no input has more. */
const MAX_DEPTH = 4;
const MAX_FIELD_CHARS = 80;
const MAX_REASON_CHARS = 200;

export type Reply = { readonly output: unknown } | { readonly error: RpcFailure };

export interface Procedures {
  /** Never rejects: a failure is a reply too. */
  dispatch(procedure: unknown, input: unknown): Promise<Reply>;
}

export function createProcedures(
  service: NodeService,
  log: RpcLog = NO_LOG,
  shell: ShellService = HEADLESS_SHELL,
): Procedures {
  return {
    async dispatch(procedure, input) {
      try {
        if (!isProcedure(procedure)) {
          const name = typeof procedure === 'string' ? procedure.slice(0, 40) : `a ${typeof procedure}`;
          throw new AceError('InvalidInput', `No such procedure: ${name}`, {
            details: { field: 'procedure' },
          });
        }
        const checked = check(inputs[procedure], input ?? {});
        // The schema that checked the input belongs to the method that gets it; the compiler cannot pair the two.
        const method = isShellProcedure(procedure) ? shell[procedure] : service[procedure].bind(service);
        return { output: await (method as (checked: unknown) => Promise<unknown>)(checked) };
      } catch (error) {
        return { error: toFailure(error, procedure, log) };
      }
    },
  };
}

function isProcedure(name: unknown): name is Procedure {
  return typeof name === 'string' && Object.hasOwn(inputs, name);
}

function check(schema: ZodType, input: unknown): unknown {
  // Electron carries maps, dates and the like, in which a schema sees an object without fields.
  if (typeof input === 'object' && (input === null || !isPlain(input, 0))) {
    throw new AceError('InvalidInput', 'input: not a plain object', { details: { field: 'input' } });
  }
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw invalidInput(result.error);
}

/** Whether it and all that it holds could have come as JSON. What lies deeper than any schema goes is the schema's to refuse. */
function isPlain(value: object, depth: number): boolean {
  const isArray = depth > 0 && Array.isArray(value);
  if (!isArray && ![Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null))
    return false;
  if (depth === MAX_DEPTH) return true;
  return Object.values(value).every(
    (held) => typeof held !== 'object' || held === null || isPlain(held, depth + 1),
  );
}

/** Names the first field that is wrong, so that a form can put the message next to it. */
function invalidInput(error: ZodError): AceError {
  const issue = error.issues[0];
  const unknownKey = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  // What was sent may be long, and its author a stranger: an error does not carry it back whole.
  const field = (issue?.path.map(String).join('.') || unknownKey || 'input').slice(0, MAX_FIELD_CHARS);
  const why = (issue?.message ?? 'not valid').slice(0, MAX_REASON_CHARS);
  const reason = issue ? inputReason(issue) : { reason: 'not-valid' };
  return new AceError('InvalidInput', `${field}: ${why}`, { details: { field, ...reason } });
}

function toFailure(thrown: unknown, procedure: unknown, log: RpcLog): RpcFailure {
  // A store that cannot even be read throws as SQLite does.
  const error = storeError(thrown);
  if (error instanceof AceError) {
    const hasDetails = Object.keys(error.details).length > 0;
    return { code: error.code, message: error.message, ...(hasDetails && { details: error.details }) };
  }
  log.error({ err: error, procedure }, 'a procedure failed');
  return { code: 'Internal', message: 'Something went wrong inside the node. Its log says more.' };
}
