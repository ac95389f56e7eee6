/**
 * The boundary of the node: whatever arrives by a transport is checked here, handed to the service, and every failure
 * is turned into one that may leave the process. A page is told the code and the text of an `AceError`; of anything
 * else it learns nothing but `Internal`, and the log has the rest.
 */
import type { ZodError, ZodType } from 'zod';
import { AceError } from '../../shared/errors.ts';
import { inputs, type Procedure, type RpcFailure } from '../../shared/rpc.ts';
import { NO_LOG, type NodeService, type RpcLog } from './service.ts';

export type Reply = { readonly output: unknown } | { readonly error: RpcFailure };

export interface Procedures {
  /** Never rejects: a failure is a reply too. */
  dispatch(procedure: string, input: unknown): Promise<Reply>;
}

export function createProcedures(service: NodeService, log: RpcLog = NO_LOG): Procedures {
  return {
    async dispatch(procedure, input) {
      try {
        if (!isProcedure(procedure)) {
          throw new AceError('InvalidInput', `No such procedure: ${procedure.slice(0, 40)}`, {
            details: { field: 'procedure' },
          });
        }
        const checked = check(inputs[procedure], input ?? {});
        // The schema that checked the input belongs to the method that gets it; the compiler cannot pair the two.
        const method = service[procedure] as (checked: unknown) => Promise<unknown>;
        return { output: await method.call(service, checked) };
      } catch (error) {
        return { error: toFailure(error, procedure, log) };
      }
    },
  };
}

function isProcedure(name: string): name is Procedure {
  return Object.hasOwn(inputs, name);
}

function check(schema: ZodType, input: unknown): unknown {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw invalidInput(result.error);
}

/** Names the first field that is wrong, so that a form can put the message next to it. */
function invalidInput(error: ZodError): AceError {
  const issue = error.issues[0];
  const unknownKey = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const field = issue?.path.map(String).join('.') || unknownKey || 'input';
  return new AceError('InvalidInput', `${field}: ${issue?.message ?? 'not valid'}`, { details: { field } });
}

function toFailure(error: unknown, procedure: string, log: RpcLog): RpcFailure {
  if (error instanceof AceError) {
    const hasDetails = Object.keys(error.details).length > 0;
    return { code: error.code, message: error.message, ...(hasDetails && { details: error.details }) };
  }
  log.error({ err: error, procedure }, 'a procedure failed');
  return { code: 'Internal', message: 'Something went wrong inside the node. Its log says more.' };
}
