import { describe, expect, it } from 'vitest';
import {
  FaucetLimits,
  MAX_TOP_UP,
  MAX_TOP_UP_PER_ADDRESS_AND_DAY,
  MAX_TOP_UP_PER_CLIENT_AND_DAY,
} from '../../../../main/validator/faucet-limits.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

const DAY_MS = 86_400_000;

function givenTo(limits: FaucetLimits, client: (i: number) => { peerId: string; address: string | null }) {
  let given = 0n;
  try {
    for (let i = 0; ; i++) {
      limits.take(`0x${i}`, MAX_TOP_UP, client(i));
      given += MAX_TOP_UP;
    }
  } catch {
    return given;
  }
}

describe('the faucet’s limits', () => {
  it('bound what one client gets for many accounts, and begin anew the next day', () => {
    let nowMs = 0;
    const limits = new FaucetLimits(() => nowMs);
    const client = () => ({ peerId: 'greedy', address: null });
    expect(givenTo(limits, client)).toBe(MAX_TOP_UP_PER_CLIENT_AND_DAY);
    limits.take('0xother', 1n, { peerId: 'other', address: null });
    nowMs = DAY_MS;
    expect(givenTo(limits, client)).toBe(MAX_TOP_UP_PER_CLIENT_AND_DAY);
  });

  it('bound what many clients of one address get', () => {
    const limits = new FaucetLimits(() => 0);
    expect(givenTo(limits, (i) => ({ peerId: `fresh-${i}`, address: '1.2.3.4' }))).toBe(
      MAX_TOP_UP_PER_ADDRESS_AND_DAY,
    );
    limits.take('0xother', 1n, { peerId: 'other', address: '1.2.3.5' });
  });

  it('give back what could not be paid to whom it was counted for', () => {
    const limits = new FaucetLimits(() => 0);
    const client = { peerId: 'p', address: '1.2.3.4' };
    givenTo(limits, () => client);
    expectAceError('TooManyRequests', () => limits.take('0xnew', 1n, client));
    limits.giveBack('0x0', MAX_TOP_UP, client);
    limits.take('0xnew', MAX_TOP_UP, client);
  });
});
