/**
 * Makes `import 'electron'` give the double, in the process that loads this first: `node --import register.ts …`. The
 * process also looks like Electron's to libraries, and has the ciphers that Electron's BoringSSL has.
 */
import childProcess from 'node:child_process';
import crypto from 'node:crypto';
import { createRequire, registerHooks, syncBuiltinESMExports } from 'node:module';
import { promisify } from 'node:util';
import { options } from './state.ts';

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

/**
 * boringssl/crypto/cipher/get_cipher.cc with Electron's patches/boringssl/feat_expose_several_extra_cipher_functions.patch: no
 * ChaCha20-Poly1305, which BoringSSL has as an EVP_AEAD only, a thing that `createCipheriv` does not look for
 * (electron/electron#24024). Web Crypto, where a Node on BoringSSL has it (nodejs/node#63255), answers later.
 */
const CIPHERS =
  /^(?:aes-(?:128|192|256)-(?:cbc|ctr|ecb|gcm|ofb)|aes-(?:128|256)-cfb|bf-(?:cbc|cfb|ecb)|des-(?:cbc|ecb)|des-ede3?(?:-cbc)?|rc2(?:-40)?-cbc|rc4)$/i;

Object.defineProperty(process, 'resourcesPath', { value: process.env.DOUBLE_RESOURCES });
Object.defineProperty(process.versions, 'electron', { value: '45.3.4', enumerable: true });
for (const name of ['createCipheriv', 'createDecipheriv'] as const) {
  const original = crypto[name] as (cipher: string, ...more: unknown[]) => unknown;
  Object.assign(crypto, {
    [name]: (cipher: string, ...more: unknown[]) => {
      if (!CIPHERS.test(cipher)) throw new Error('Unknown cipher');
      return original(cipher, ...more);
    },
  });
}

/** The session's bus, as the desktop of the test has it: whether anybody shows tray icons. */
const { trayHost = true } = options;
const execFile = childProcess.execFile as unknown as (...args: unknown[]) => unknown;
const asked = async (...args: unknown[]): Promise<unknown> => {
  if (args[0] === '/usr/bin/gdbus') return { stdout: `(${trayHost},)\n`, stderr: '' };
  return promisify(childProcess.execFile)(...(args as [string, string[]]));
};
Object.assign(childProcess, {
  execFile: Object.assign((...args: unknown[]) => execFile(...args), { [promisify.custom]: asked }),
});
syncBuiltinESMExports();

/** Native code is chosen by the system that it really is, and is loaded once. */
if (options.platform !== undefined) {
  const require = createRequire(import.meta.url);
  const Sqlite = require('better-sqlite3') as new (path: string) => { close(): void };
  new Sqlite(':memory:').close();
  require('sodium-native');
  Object.defineProperty(process, 'platform', { value: options.platform });
}
