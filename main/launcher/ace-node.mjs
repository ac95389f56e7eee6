#!/usr/bin/env node
// The `ace-node` command. In a checkout it first installs and builds what is missing, so that one command
// is enough on a machine with only Node 20 and npm; then it runs the real command line on Node 24.
// Its stdout is the command's stdout and nothing else.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cliFile, ensureBuilt } from './build.mjs';
import { exitLike, runChild } from './child.mjs';
import { ensureInstalled } from './install.mjs';
import { nodeBinary, rootDir } from './paths.mjs';
import { printSetupError } from './setup-error.mjs';
import { ensureWindow } from './window.mjs';

const isCheckout = existsSync(join(rootDir, 'main', 'cli.ts'));

try {
  if (isCheckout) {
    await ensureInstalled();
    await ensureBuilt();
    await ensureWindow(process.argv.slice(2));
  }
  const node = isCheckout ? nodeBinary : process.execPath;
  exitLike(await runChild(node, [cliFile, ...process.argv.slice(2)], { stdio: 'inherit' }));
} catch (error) {
  printSetupError(error);
  process.exitCode = 1;
}
