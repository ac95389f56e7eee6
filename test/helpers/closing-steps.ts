/**
 * The steps by which the desktop app closes, in their order, and a kill at each: code for `DoubleApp.run`, put there before the
 * app is asked to quit. What is looked at is what the system would see of the process: its window, its file of books, its files.
 */

/** After this one has happened, the process is gone. */
export interface ClosingStep {
  readonly name: string;
  /** Runs `die()` or `note(name)`. */
  readonly hook: string;
}

const CALL_SHUTDOWN = `electron.ipcMain.handlers.get('ace:call')(
  { senderFrame: { origin: 'app://ace-node', parent: null } }, 'shutdown', {})`;
const QUIT = 'electron.app.quit()';

/** Every way to the end but `app.quit()`, and what asks for it in the app's process. */
export const OTHER_WAYS: readonly (readonly [name: string, code: string])[] = [
  // As Node hands one over that came; from outside, it would come while the books are written as on any day.
  ['a signal', "process.emit('SIGTERM', 'SIGTERM')"],
  ['the shutdown of the system', "electron.powerMonitor.emit('shutdown', electron.preventable())"],
  ['the end of the session on Windows', 'electron.endSession()'],
  ['the end of its last window', 'electron.BrowserWindow.all[0].close()'],
  ['the shutdown procedure', CALL_SHUTDOWN],
];

/** Those after which the system ends the process by itself, whatever it is doing. */
export const BOUNDED_WAYS: ReadonlySet<string | undefined> = new Set([
  'the shutdown of the system',
  'the end of the session on Windows',
]);

/** `die` is called when the step happens. */
const PRELUDE = `
  const { default: Sqlite } = await import('better-sqlite3');
  const { default: fs } = await import('node:fs');
  const { syncBuiltinESMExports } = await import('node:module');
  const probe = new Sqlite(':memory:');
  const statement = Object.getPrototypeOf(probe.prepare('SELECT 1'));
  const isOurs = (path) => path.endsWith('/data/node.db');
  /** Calls back before and after each commit to this node's books, with how many there were. */
  const onCommit = (before, after) => {
    const { run } = statement;
    let commits = 0;
    statement.run = function (...args) {
      if (this.source !== 'COMMIT' || !isOurs(this.database.name)) return run.apply(this, args);
      commits += 1;
      before(commits);
      const result = run.apply(this, args);
      after(commits);
      return result;
    };
  };
  const around = (object, name, isIt, before, after) => {
    const original = object[name];
    object[name] = function (...args) {
      const matters = isIt.call(this, ...args);
      if (matters) before();
      const result = original.apply(this, args);
      if (matters) after();
      return result;
    };
  };
  const nothing = () => {};
`;

const commit = (count: number, when: 'before' | 'after') => ({
  name: `${when} its commit no. ${count}`,
  hook:
    when === 'before'
      ? `onCommit((n) => n === ${count} && die(), nothing);`
      : `onCommit(nothing, (n) => n === ${count} && die());`,
});

export const CLOSING_STEPS: readonly ClosingStep[] = [
  { name: 'when it shows that it closes', hook: 'electron.BrowserWindow.all[0].setTitle = die;' },
  {
    name: 'when its address is taken away',
    hook: "around(fs, 'rmSync', (path) => String(path).endsWith('control.json'), nothing, die); syncBuiltinESMExports();",
  },
  commit(1, 'before'),
  commit(1, 'after'),
  commit(3, 'after'),
  {
    name: 'before its books are closed',
    hook: "around(Sqlite.prototype, 'close', function () { return isOurs(this.name); }, die, nothing);",
  },
  {
    name: 'after its books were closed',
    hook: "around(Sqlite.prototype, 'close', function () { return isOurs(this.name); }, nothing, die);",
  },
  { name: 'just before it ends', hook: 'electron.app.exit = die;' },
];

/** Asks the app to quit, and kills it at the step. */
export function quitKilledAt({ hook }: ClosingStep): string {
  return `${PRELUDE} const die = () => process.kill(process.pid, 'SIGKILL'); ${hook} ${QUIT};`;
}

/** Asks the app to end; it writes the steps that it takes to its standard error, each as `step: name`. */
export function endTold(steps: readonly ClosingStep[], way: string = QUIT): string {
  const hooks = steps.map(
    ({ name, hook }) => `{ const die = () => process.stderr.write('step: ${name}\\n'); ${hook} }`,
  );
  return `${PRELUDE} ${hooks.join('\n')} ${way};`;
}
