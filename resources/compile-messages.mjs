// The messages of the pages, compiled: shared/i18n/compiled/, which the pages, the desktop shell and tests import.
// The build does it too; run by itself (`npm run i18n`), this is for whoever wants only the types.
import { join } from 'node:path';
import { compile } from '@inlang/paraglide-js';
import { rootDir } from '../main/launcher/paths.mjs';

/** @type {import('@inlang/paraglide-js').CompilerOptions} */
export const messageOptions = {
  // Its settings name the installed plugin: the default is one from the network.
  project: join(rootDir, 'shared', 'i18n', 'project.inlang'),
  outdir: join(rootDir, 'shared', 'i18n', 'compiled'),
  outputStructure: 'locale-modules',
  // Without pages (in tests) the language is English; the pages put their own choice in its place.
  strategy: ['globalVariable', 'baseLocale'],
  isServer: 'false',
  emitReadme: false,
};

if (process.argv[1] === import.meta.filename) {
  await compile(messageOptions);
  // The compiler's timers would keep the process for half a minute.
  process.exit();
}
