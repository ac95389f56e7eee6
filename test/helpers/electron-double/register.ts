/**
 * Makes `import 'electron'` give the double, in the process that loads this first: `node --import register.ts …`. The
 * process also looks like Electron's to libraries, and lacks the cipher that Electron's BoringSSL lacks.
 */
import crypto from 'node:crypto';
import { registerHooks, syncBuiltinESMExports } from 'node:module';

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'electron'
      ? {
          url: new URL('./electron.ts', import.meta.url).href,
          format: 'module-typescript',
          shortCircuit: true,
        }
      : next(specifier, context),
});

Object.defineProperty(process.versions, 'electron', { value: '45.3.4', enumerable: true });
for (const name of ['createCipheriv', 'createDecipheriv'] as const) {
  const original = crypto[name] as (cipher: string, ...more: unknown[]) => unknown;
  Object.assign(crypto, {
    [name]: (cipher: string, ...more: unknown[]) => {
      if (/chacha/i.test(cipher)) throw new Error('Unknown cipher');
      return original(cipher, ...more);
    },
  });
}
syncBuiltinESMExports();
