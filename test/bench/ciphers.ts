/**
 * Makes Noise in the process that loads this first (`node --import`) encrypt with what `BENCH_CIPHER` names: what is handed to
 * it (`libsodium`), its own choice in plain Node (`openssl`), or its own choice in Electron's main process (`wasm`).
 */
import { registerHooks } from 'node:module';

export const CIPHERS = ['libsodium', 'openssl', 'wasm'] as const;
export type CipherName = (typeof CIPHERS)[number];

const { BENCH_CIPHER: cipher = 'libsodium' } = process.env;
if (cipher === 'wasm') Object.defineProperty(process.versions, 'electron', { value: '45', enumerable: true });
if (cipher !== 'libsodium') {
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === 'sodium-native') throw new Error('It is hidden from this measurement');
      return next(specifier, context);
    },
  });
}
