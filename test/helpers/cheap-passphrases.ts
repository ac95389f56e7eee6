/**
 * Passphrases cost a hundredth of what they cost in life, for the process that imports this: for tests of what a
 * passphrase does. What one has to cost is tested by test/unit/main/wallet/keystore.test.ts.
 */
import { SCRYPT_PARAMS } from '../../main/wallet/seal.ts';

/** What they cost in life. */
export const REAL_PARAMS = { ...SCRYPT_PARAMS };

Object.assign(SCRYPT_PARAMS, { n: 2 ** 10 });
