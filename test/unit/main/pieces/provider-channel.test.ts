import { expect, it } from 'vitest';
import type { PayeeChannel, PayeeService } from '../../../../main/channel/payee.ts';
import type { Message } from '../../../../main/pieces/messages.ts';
import { ProviderChannel } from '../../../../main/pieces/provider-channel.ts';

/** What a stream sees of its channel, whose ticks others may make durable. */
class SharedChannel {
  books = { paidUnits: 2, servedBytes: 0, checkpointNumber: 0 };
  dirty = false;
  async commitSoon(): Promise<void> {
    this.dirty = false;
  }
  detach(): void {}
}

it('tells of a tick also when the commit of another stream made it durable', async () => {
  const channel = new SharedChannel();
  let told = 0;
  const own = new ProviderChannel(
    {
      payee: { open: () => channel as unknown as PayeeChannel } as unknown as PayeeService,
      send: () => undefined,
      abort: () => undefined,
      notify: () => undefined,
      onChange: () => void told++,
    },
    false,
  );
  own.open({ account: 'payer', device: new Uint8Array() }, null, { type: 'open' } as Extract<
    Message,
    { type: 'open' }
  >);
  expect(own.hasNews).toBe(false);
  expect(await own.commitTicks()).toBe(false);

  channel.books.paidUnits = 3;
  expect(own.hasNews).toBe(true);
  expect(await own.commitTicks()).toBe(true);
  expect(told).toBe(1);
  expect(own.hasNews).toBe(false);
  expect(await own.commitTicks()).toBe(false);
});
