/**
 * Loads the app as Electron does: the entry as a module, whose failure is an error that nobody caught, and a box for such
 * errors while the app has no listener of its own; the process stays (lib/browser/init.ts).
 */
import { pathToFileURL } from 'node:url';
import { becomeReady, calls } from './electron.ts';

process.on('uncaughtException', (error) => {
  if (process.listenerCount('uncaughtException') === 1) calls.push(['a box with the stack', String(error)]);
});

// What the app sees: the program, the entry, and what was given to it.
process.argv.splice(1, 1);
try {
  await import(pathToFileURL(process.argv[1] ?? '').href);
} catch (error) {
  process.emit('uncaughtException', error as Error);
}
becomeReady();
