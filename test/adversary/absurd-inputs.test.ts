/**
 * Every procedure of the contract, given absurd input over both transports: the schema is asked first, its refusal is
 * one clear error, no service is reached by what it refuses, and both transports say the same.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createFeedHub } from '../../main/rpc/feed.ts';
import { type HttpServer, startHttpServer } from '../../main/rpc/http.ts';
import { attachIpc, type IpcMainLike } from '../../main/rpc/ipc.ts';
import { createProcedures, type Reply } from '../../main/rpc/procedures.ts';
import type { NodeService } from '../../main/rpc/service.ts';
import { HEADLESS_SHELL, type ShellService } from '../../main/rpc/shell-service.ts';
import { IPC_CALL, inputs, type Procedure } from '../../shared/rpc/rpc.ts';
import { FakeService } from '../helpers/fake-service.ts';

const TOKEN = 'absurd';
const ORIGIN = 'app://ace-node';
const procedures = Object.keys(inputs) as Procedure[];

/** What got through, as the service got it. */
const reached: { readonly name: string; readonly input: unknown }[] = [];

function recording<T extends object>(target: T): T {
  return new Proxy(target, {
    get(object, name, receiver) {
      const value: unknown = Reflect.get(object, name, receiver);
      if (!(String(name) in inputs)) return typeof value === 'function' ? value.bind(object) : value;
      return async (input: unknown) => {
        reached.push({ name: String(name), input });
        return {};
      };
    },
  });
}

const service: NodeService = recording(new FakeService());
const shell: ShellService = recording({ ...HEADLESS_SHELL });
let server: HttpServer;
let socket: WebSocket;
let ipcCall: (procedure: unknown, input: unknown) => Promise<Reply>;

beforeAll(async () => {
  const handlers = new Map<string, Parameters<IpcMainLike['handle']>[1]>();
  attachIpc({
    ipcMain: { handle: (name, handler) => handlers.set(name, handler), removeHandler: () => {} },
    procedures: createProcedures(service, undefined, shell),
    feed: createFeedHub(service),
    origin: ORIGIN,
  });
  ipcCall = async (procedure, input) =>
    // What Electron does to arguments on their way.
    (await handlers.get(IPC_CALL)?.(
      { senderFrame: { origin: ORIGIN, parent: null } },
      structuredClone(procedure),
      structuredClone(input),
    )) as Reply;
  server = await startHttpServer({
    port: 0,
    pagesDir: import.meta.dirname,
    token: TOKEN,
    service,
    shell,
    content: (_req, res) => res.end(),
  });
  socket = new WebSocket(`${server.url.replace('http', 'ws')}rpc?token=${TOKEN}`);
  // The feed's own first snapshot has been asked for by then.
  await new Promise((resolve, reject) => socket.once('message', resolve).once('error', reject));
  socket.on('message', hear);
  reached.length = 0;
});
afterEach(() => {
  reached.length = 0;
});
afterAll(async () => {
  socket?.terminate();
  await server?.close();
});

const waiting = new Map<number, (reply: Reply) => void>();
let nextId = 0;

function hear(data: unknown): void {
  const { id, ...reply } = JSON.parse(String(data)) as { id?: number } & Reply;
  waiting.get(id ?? -1)?.(reply as Reply);
}

function wsCall(procedure: string, input: unknown): Promise<Reply> {
  const id = nextId++;
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    socket.send(JSON.stringify({ id, procedure, input }));
  });
}

/** Absurd for every procedure, since each takes an object of its own fields only. */
const NO_OBJECT: [string, unknown][] = [
  ['text', 'snapshot'],
  ['a number', 42],
  ['a truth', true],
  ['an array', []],
  ['an array of objects', [{}]],
  ['an unknown field', { evil: 1 }],
  ['a field named __proto__', JSON.parse('{"__proto__": {"polluted": 1}}')],
  ['a field named constructor', { constructor: { prototype: { polluted: 1 } } }],
  ['a thousand fields', Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`f${i}`, i]))],
  ['a field of a field of a field …', JSON.parse(`${'{"a":'.repeat(300)}1${'}'.repeat(300)}`)],
];

/** Put into every field that a procedure has. */
const NO_VALUE: [string, unknown][] = [
  ['an object', { a: 1 }],
  ['an array of arrays', [[[]]]],
  ['a negative number', -1],
  ['a fraction', 0.5],
  ['a number beyond all units', 1e308],
  ['an empty text', ''],
  ['a very long text', 'x'.repeat(200_000)],
  ['a text with a null', 'a\0b\u202e'],
  ['a path upwards', '../../../../etc/passwd'],
  ['a script', '<script>alert(1)</script>'],
  ['SQL', "'; DROP TABLE contents; --"],
  ['a truth', true],
];

/** Only IPC carries these. */
const CLONED: [string, unknown][] = [
  ['a bigint', 1n],
  ['a date', new Date(0)],
  ['a map', new Map([['contentId', 'x']])],
  ['bytes', new Uint8Array(8)],
  ['not a number', Number.NaN],
];

async function both(procedure: string, input: unknown): Promise<Reply> {
  const [overIpc, overWs] = [await ipcCall(procedure, input), await wsCall(procedure, input)];
  expect(overWs).toEqual(overIpc);
  return overIpc;
}

function expectRefusal(reply: Reply, what: string): void {
  expect(reply, what).toMatchObject({
    error: { code: 'InvalidInput', details: { field: expect.any(String) } },
  });
  const { message } = (reply as { error: { message: string } }).error;
  expect(message.length, what).toBeLessThan(400);
}

/** An object's schema, or one of several objects. */
interface ObjectSchema {
  readonly shape?: object;
  readonly options?: readonly ObjectSchema[];
}

function fieldsOf({ shape, options }: ObjectSchema): string[] {
  const fields = shape ? Object.keys(shape) : [...new Set(options?.flatMap(fieldsOf))];
  if (fields.length === 0 && shape === undefined) throw new Error('A schema without fields that are known');
  return fields;
}

describe.each(procedures)('%s', (procedure) => {
  it.each(NO_OBJECT)('refuses %s over both transports', async (what, input) => {
    expectRefusal(await both(procedure, input), what);
    expect(reached).toEqual([]);
  });

  const fields = fieldsOf(inputs[procedure] as unknown as ObjectSchema);
  it('passes on nothing that its schema does not take, whatever a field holds', async () => {
    for (const field of fields) {
      for (const [what, value] of NO_VALUE) {
        const input = { [field]: value };
        const accepted = inputs[procedure].safeParse(input).success;
        reached.length = 0;
        const reply = await both(procedure, input);
        if (accepted) expect(reached.map(({ name }) => name)).toEqual([procedure, procedure]);
        else {
          expectRefusal(reply, `${field}: ${what}`);
          expect(reached).toEqual([]);
        }
      }
    }
  });

  it.each(CLONED)('refuses %s over IPC', async (what, input) => {
    expectRefusal(await ipcCall(procedure, input), what);
    for (const field of fields)
      expectRefusal(await ipcCall(procedure, { [field]: input }), `${field}: ${what}`);
    expect(reached).toEqual([]);
  });
});

describe('names that are no procedure', () => {
  it.each([
    '',
    'nope',
    '__proto__',
    'constructor',
    'toString',
    'onFeed',
    'hasOwnProperty',
    'SNAPSHOT',
    'x'.repeat(40),
  ])('refuses %j over both transports', async (name) => {
    expectRefusal(await both(name, {}), name);
    expect(reached).toEqual([]);
  });

  it.each([[null], [42], [{ toString: 'snapshot' }], [['snapshot', 'x']], [new Map()]])(
    'refuses %j over IPC',
    async (name) => {
      expectRefusal(await ipcCall(name, {}), 'a name that is no text');
      expect(reached).toEqual([]);
    },
  );
});

it('a frame nested a hundred thousand deep ends in a refusal or a closed socket, and the node goes on', async () => {
  const deep = new WebSocket(socket.url);
  await new Promise((resolve) => deep.once('open', resolve));
  const depth = 100_000;
  const outcome = new Promise((resolve) => {
    deep.once('close', resolve);
    deep.on('message', (data) => {
      const frame = JSON.parse(String(data)) as { error?: { code: string } };
      if (frame.error) resolve(frame.error.code);
    });
  });
  deep.send(`{"id":1,"procedure":"contents","input":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`);
  expect([1007, 1009, 'InvalidInput']).toContain(await outcome);
  deep.terminate();
  expectRefusal(await wsCall('contents', 1), 'afterwards');
});

it('nothing of all that has reached the prototype of objects', () => {
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
});
