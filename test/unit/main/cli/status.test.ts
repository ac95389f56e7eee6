import { describe, expect, it } from 'vitest';
import { describeStatus } from '../../../../main/cli/status.ts';
import type { TransferView } from '../../../../shared/rpc/content.ts';
import type { NodeSnapshot } from '../../../../shared/rpc/rpc.ts';
import { FakeService } from '../../../helpers/fake-service.ts';

const MIB = 1_048_576;
const snapshot = async (): Promise<NodeSnapshot> => new FakeService('normal').snapshot();

describe('the status of a node', () => {
  it('has one line for each creditor, with all that is owed to it', async () => {
    const s = await snapshot();
    const loans = [
      { creditor: '0xaaa', units: 3, sinceMs: 1, priceXac: '0.0000003' },
      { creditor: '0xbbb', units: 5, sinceMs: 2, priceXac: '0.0000005' },
      { creditor: '0xaaa', units: 4, sinceMs: 3, priceXac: '1.0000004' },
    ];
    const lines = describeStatus({ ...s, credit: { ...s.credit, loans } }, true).split('\n');
    const at = lines.findIndex((line) => line.startsWith('You owe'));
    expect(lines.slice(at, at + 3).map((line) => line.trim())).toEqual([
      'You owe',
      '0xaaa: 7 MiB, 1.0000007 XAC now',
      '0xbbb: 5 MiB, 0.0000005 XAC now',
    ]);
    expect(lines[at + 3]).toMatch(/^On its way/);
    expect(describeStatus({ ...s, credit: { ...s.credit, loans: [] } }, true)).toMatch(/^You owe +nobody$/m);
  });

  it('has the transfers that run, and none that only ran', async () => {
    const s = await snapshot();
    const transfer = (over: Partial<TransferView>): TransferView => ({
      ...{
        contentId: 'a',
        name: 'film',
        sizeBytes: 40 * MIB,
        haveBytes: 10 * MIB,
        window: false,
        wanted: true,
      },
      ...{ state: 'fetching', reason: null, provider: null, providers: [], doubledPieces: 0, refusal: null },
      ...{ downBytesPerSecond: 2 * MIB, fetchingMs: 0, paidUnits: 0, costXac: '0.0000000' },
      ...over,
    });
    const transfers = [
      transfer({}),
      transfer({ name: 'seen', wanted: false, state: 'done' }),
      transfer({
        name: 'stopped',
        state: 'paused',
        downBytesPerSecond: 0,
        reason: { code: 'CacheFull', message: 'no room' },
      }),
    ];
    const text = describeStatus({ ...s, transfers }, true);
    expect(text).toMatch(/^Fetching +"film": 10 MiB of 40 MiB here, 2 MiB\/s, fetching$/m);
    expect(text).toMatch(/^ +"stopped": 10 MiB of 40 MiB here, paused: no room$/m);
    expect(text).not.toContain('seen');
    expect(describeStatus({ ...s, transfers: [] }, true)).not.toContain('Fetching');
  });

  it('says what is wrong with the clocks of the computer and of the validator', async () => {
    const s = await snapshot();
    const shard = { ...s.shard, clockJumped: true };
    const text = describeStatus({ ...s, shard, clock: { aheadMs: -90_000_000, stops: true } }, true);
    expect(text).toMatch(/^CLOCK WRONG +The clock of this computer is about 25 hours behind .* no channel/m);
    expect(text).toMatch(/^Shard clock +The validator’s clock is wrong/m);
    expect(describeStatus(s, true)).not.toMatch(/clock/i);
  });
});
