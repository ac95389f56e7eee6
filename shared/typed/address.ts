/** Addresses as people copy and type them. In the node they are lower case; people see them in EIP-55. */
import { getAddress, isAddress } from 'viem/utils';
import { AceError } from '../errors.ts';
import { withoutInvisible } from './invisible.ts';

/** `ethereum:0x…@1?value=…` of a QR code (EIP-681). A call of a contract there is not about an account. */
const PAYMENT_LINK = /^ethereum:(?:pay-)?(0x[0-9a-f]{40})(?:@[0-9a-fx]+)?(?:\?[^/]*)?$/i;

/**
 * One letter case throughout carries no checksum and is taken; mixed case must be EIP-55's.
 * @returns lower case
 * @throws AceError `InvalidInput` with `details.field` and `details.reason` `form`, `checksum` or `nobody`
 */
export function typedAddress(text: string, field = 'to'): string {
  const plain = withoutInvisible(text).trim();
  const address = PAYMENT_LINK.exec(plain)?.[1] ?? plain;
  if (!/^0x[0-9a-f]{40}$/i.test(address)) {
    throw wrong(field, 'form', 'Not an address: it is 0x and 40 digits and letters from a to f');
  }
  const digits = address.slice(2);
  const isMixed = digits !== digits.toLowerCase() && digits !== digits.toUpperCase();
  if (isMixed && !isAddress(`0x${digits}`, { strict: true })) {
    throw wrong(field, 'checksum', 'The address has a typo: its capital letters do not match');
  }
  if (/^0+$/.test(digits)) {
    throw wrong(field, 'nobody', 'Nobody has the key of this address: what is sent there is lost');
  }
  return `0x${digits.toLowerCase()}`;
}

/** EIP-55: the capital letters are a checksum. What is no address stays as it is. */
export function shownAddress(address: string): string {
  return isAddress(address, { strict: false }) ? getAddress(address) : address;
}

function wrong(field: string, reason: string, message: string): AceError {
  return new AceError('InvalidInput', message, { details: { field, reason } });
}
