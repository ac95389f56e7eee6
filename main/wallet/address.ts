/** Addresses as people copy and type them. In the node they are lower case; people see them in EIP-55. */
import { getAddress, isAddress } from 'viem/utils';
import { AceError } from '../../shared/errors.ts';

/**
 * One letter case throughout carries no checksum and is taken; mixed case must be EIP-55's.
 * @returns lower case
 * @throws AceError `InvalidInput` with `details.field` and `details.reason` `form`, `checksum` or `nobody`
 */
export function parseAddress(text: string, field = 'to'): string {
  const trimmed = text.trim();
  if (!/^0x[0-9a-f]{40}$/i.test(trimmed)) {
    throw new AceError('InvalidInput', 'Not an address: it is 0x and 40 digits and letters from a to f', {
      details: { field, reason: 'form' },
    });
  }
  const digits = trimmed.slice(2);
  const isMixed = digits !== digits.toLowerCase() && digits !== digits.toUpperCase();
  if (isMixed && !isAddress(trimmed, { strict: true })) {
    throw new AceError('InvalidInput', 'The address has a mistake: its letter case does not add up', {
      details: { field, reason: 'checksum' },
    });
  }
  if (/^0+$/.test(digits)) {
    throw new AceError('InvalidInput', 'Nobody has the key of this address: what is sent there is lost', {
      details: { field, reason: 'nobody' },
    });
  }
  return trimmed.toLowerCase();
}

/** EIP-55. */
export function showAddress(address: string): string {
  return getAddress(address);
}
