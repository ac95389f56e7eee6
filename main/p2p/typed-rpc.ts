/**
 * Requests with a schema for each method, both for the parameters and for the answer: what comes from the other side
 * passes one before anyone looks at it, and what is sent has its type. Shard and chain protocols are such tables.
 */
import type { z } from 'zod';
import { AceError } from '../../shared/errors.ts';
import type { PlainMap, RequestClient } from './requests.ts';

export interface RpcMethod {
  readonly params: z.ZodType;
  readonly result: z.ZodType;
}
export type RpcMethods = Readonly<Record<string, RpcMethod>>;

/** A value as it is sent: encoding does not change it. */
export type Sent<T> = T extends Uint8Array | bigint | number | string | boolean | null | undefined
  ? T
  : T extends readonly (infer E)[]
    ? readonly Sent<E>[]
    : { readonly [K in keyof T]: Sent<T[K]> };

export type MethodName<T extends RpcMethods> = keyof T & string;
/** As they arrive, after their check. */
export type RpcParams<T extends RpcMethods, M extends MethodName<T>> = z.output<T[M]['params']>;
export type RpcResult<T extends RpcMethods, M extends MethodName<T>> = z.output<T[M]['result']>;

/** What answers each method; `caller` is what the server knows of who asks. */
export type RpcHandlers<T extends RpcMethods, Caller> = {
  readonly [M in MethodName<T>]: (
    params: RpcParams<T, M>,
    caller: Caller,
  ) => Promise<Sent<z.input<T[M]['result']>>>;
};

export interface TypedRpc<T extends RpcMethods> {
  /** @throws AceError `MessageMalformed` of an answer that is none, and what `RequestClient.request` throws */
  call<M extends MethodName<T>>(
    client: Pick<RequestClient, 'request'>,
    method: M,
    params: Sent<z.input<T[M]['params']>>,
  ): Promise<RpcResult<T, M>>;
  /** @throws AceError `MessageUnexpected` of a method that is none, `MessageMalformed`, and what the handler throws */
  answer<Caller>(
    handlers: RpcHandlers<T, Caller>,
    method: MethodName<T>,
    params: unknown,
    caller: Caller,
  ): Promise<PlainMap>;
  /** @throws AceError `MessageUnexpected` */
  methodNamed(name: string): MethodName<T>;
}

export function typedRpc<T extends RpcMethods>(methods: T): TypedRpc<T> {
  const schemas = <M extends MethodName<T>>(method: M) => methods[method] as T[M];
  return {
    async call(client, method, params) {
      // What the schema of the parameters accepts is what dag-cbor can carry.
      const result = await client.request(method, params as PlainMap);
      return checked(schemas(method).result, result) as never;
    },
    async answer(handlers, method, params, caller) {
      const asked = checked(schemas(method).params, params) as never;
      return (await handlers[method](asked, caller)) as PlainMap;
    },
    methodNamed(name) {
      if (Object.hasOwn(methods, name)) return name;
      throw new AceError('MessageUnexpected', `Unknown method ${name}`, { reaction: 'drop-peer' });
    },
  };
}

/** @throws AceError `MessageMalformed` naming the field */
export function checked<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new AceError('MessageMalformed', `The peer sent a malformed message (${field})`, {
    reaction: 'drop-peer',
  });
}
