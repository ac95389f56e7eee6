import { describe, expect, it, vi } from 'vitest';
import { createProcedures } from '../../../../main/rpc/procedures.ts';
import { HEADLESS_SHELL } from '../../../../main/rpc/shell-service.ts';
import { AceError } from '../../../../shared/errors.ts';
import { inputs } from '../../../../shared/rpc/rpc.ts';
import { FakeService } from '../../../helpers/fake-service.ts';

function withLog() {
  return { warn: vi.fn(), error: vi.fn() };
}

describe('createProcedures', () => {
  it('has a method of the service or of the shell for every procedure of the contract', () => {
    const service: Record<string, unknown> = { ...HEADLESS_SHELL };
    // What it inherits as well.
    for (let from = FakeService.prototype; from !== Object.prototype; from = Object.getPrototypeOf(from)) {
      for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(from))) {
        service[name] ??= value;
      }
    }
    for (const procedure of Object.keys(inputs)) {
      expect(service[procedure], procedure).toBeTypeOf('function');
    }
  });

  it('asks the shell what is the shell’s', async () => {
    const shell = { ...HEADLESS_SHELL, chooseFiles: async () => ({ paths: ['/a'] }) };
    const procedures = createProcedures(new FakeService(), withLog(), shell);
    expect(await procedures.dispatch('chooseFiles', {})).toEqual({ output: { paths: ['/a'] } });
    const headless = createProcedures(new FakeService());
    expect(await headless.dispatch('shell', {})).toMatchObject({
      output: { kind: 'headless', autostart: null },
    });
    for (const procedure of ['setShell', 'chooseFiles']) {
      expect(await headless.dispatch(procedure, {})).toMatchObject({ error: { code: 'NotInThisShell' } });
    }
  });

  it('answers with the output', async () => {
    const reply = await createProcedures(new FakeService()).dispatch('snapshot', {});
    expect(reply).toMatchObject({ output: { networkId: 'ace-devnet' } });
  });

  it('takes no input for an empty one', async () => {
    expect(await createProcedures(new FakeService()).dispatch('contents', undefined)).toHaveProperty(
      'output',
    );
  });

  it.each([
    ['importFile', { path: '/a', name: 'x'.repeat(256) }, 'name: at most 255 characters'],
    ['importFile', { path: '' }, 'path: it is empty'],
    ['startBroadcast', { name: '' }, 'name: it is empty'],
    ['settlements', { limit: 501 }, 'limit: at most 500'],
    ['settlements', { limit: 0 }, 'limit: at least 1'],
  ])('says in words how long an input of %s may be', async (procedure, input, message) => {
    const reply = await createProcedures(new FakeService()).dispatch(procedure, input);
    expect(reply).toMatchObject({ error: { code: 'InvalidInput', message } });
  });

  it('fills in the defaults of the schema', async () => {
    const service = new FakeService();
    const settlements = vi.spyOn(service, 'settlements');
    await createProcedures(service).dispatch('settlements', {});
    expect(settlements).toHaveBeenCalledWith({ limit: 50 });
  });

  it.each([
    ['a wrong amount', 'topUp', { amountXat: '1e5' }, 'amountXat'],
    ['a negative amount', 'topUp', { amountXat: '-1' }, 'amountXat'],
    ['a missing field', 'play', {}, 'contentId'],
    ['a field too many', 'snapshot', { extra: 1 }, 'extra'],
    ['a wrong type', 'settlements', { limit: '5' }, 'limit'],
    ['a page that is too long', 'settlements', { limit: 501 }, 'limit'],
    ['no object at all', 'contents', 'text', 'input'],
  ])('names the field: %s', async (_what, procedure, input, field) => {
    const reply = await createProcedures(new FakeService()).dispatch(procedure, input);
    expect(reply).toMatchObject({ error: { code: 'InvalidInput', details: { field } } });
    expect('error' in reply && reply.error.message).toContain(field);
  });

  it.each(['nope', '', 'onFeed', 'constructor', '__proto__', 'toString'])(
    'refuses the procedure "%s"',
    async (name) => {
      const reply = await createProcedures(new FakeService()).dispatch(name, {});
      expect(reply).toMatchObject({ error: { code: 'InvalidInput', details: { field: 'procedure' } } });
    },
  );

  it('keeps code, message and details of an AceError and does not log it', async () => {
    const service = new FakeService();
    const log = withLog();
    vi.spyOn(service, 'settleNow').mockRejectedValue(
      new AceError('ShardUnavailable', 'No validator', { details: { shard: 0 }, cause: new Error('secret') }),
    );
    expect(await createProcedures(service, log).dispatch('settleNow', {})).toEqual({
      error: { code: 'ShardUnavailable', message: 'No validator', details: { shard: 0 } },
    });
    expect(log.error).not.toHaveBeenCalled();
  });

  it('tells nothing of any other error and logs it', async () => {
    const service = new FakeService();
    const log = withLog();
    const error = new TypeError('/home/me/secret is undefined');
    vi.spyOn(service, 'settleNow').mockRejectedValue(error);
    const reply = await createProcedures(service, log).dispatch('settleNow', {});
    expect(reply).toMatchObject({ error: { code: 'Internal' } });
    expect(JSON.stringify(reply)).not.toContain('secret');
    expect(log.error).toHaveBeenCalledWith({ err: error, procedure: 'settleNow' }, expect.any(String));
  });
});
