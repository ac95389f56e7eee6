import { describe, expect, it } from 'vitest';
import { shownAddress, typedAddress } from '../../../../shared/typed/address.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

const SHOWN = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed';
const KEPT = SHOWN.toLowerCase();

describe('typedAddress', () => {
  it.each([
    SHOWN,
    KEPT,
    `0x${SHOWN.slice(2).toUpperCase()}`,
    `0X${KEPT.slice(2)}`,
    ` ${SHOWN}\n`,
    `\u200e${SHOWN.slice(0, 10)}\u200b${SHOWN.slice(10)}\ufeff`,
    `ethereum:${SHOWN}`,
    `ETHEREUM:pay-${SHOWN}@1?value=1e18`,
  ])('reads %j', (text) => {
    expect(typedAddress(text)).toBe(KEPT);
  });

  it.each([
    '',
    '0x',
    SHOWN.slice(0, -1),
    `${SHOWN}0`,
    SHOWN.slice(2),
    `ethereum:${SHOWN}/transfer?address=${SHOWN}`,
  ])('refuses %j, which has not the form of one', (text) => {
    expect(expectAceError('InvalidInput', () => typedAddress(text)).details).toEqual({
      field: 'to',
      reason: 'form',
    });
  });

  it('says that capital letters which do not match are a typo', () => {
    const error = expectAceError('InvalidInput', () => typedAddress(SHOWN.replace('Aeb', 'aeb'), 'payee'));
    expect(error.details).toEqual({ field: 'payee', reason: 'checksum' });
    expect(error.message).toContain('a typo: its capital letters do not match');
  });

  it('refuses the address of nobody', () => {
    const error = expectAceError('InvalidInput', () => typedAddress(`0x${'0'.repeat(40)}`));
    expect(error.details).toEqual({ field: 'to', reason: 'nobody' });
  });
});

it('shows an address with its checksum, and leaves other words alone', () => {
  expect(shownAddress(KEPT)).toBe(SHOWN);
  expect(shownAddress('Ace Network')).toBe('Ace Network');
});
