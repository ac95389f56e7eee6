import { chmodSync, mkdirSync, readFileSync, renameSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createLog } from '../../../../main/process/log.ts';
import { LINES_A_MINUTE } from '../../../../main/process/repeated-lines.ts';
import { AceError } from '../../../../shared/errors.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const linesOf = (file: string): Record<string, unknown>[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

function world(maxBytes?: number, obstacle = false) {
  const file = join(tempDir(), 'node.log');
  if (obstacle) mkdirSync(file);
  let nowMs = 0;
  const log = createLog(file, () => nowMs, maxBytes);
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  onTestFinished(() => stderr.mockRestore());
  return {
    file,
    log,
    stderr,
    later: (ms: number) => {
      nowMs += ms;
    },
  };
}

describe('the log', () => {
  it('has a line in its file when the call returns', () => {
    const { file, log } = world();
    log.warn({ peer: 'p1' }, 'something');
    expect(linesOf(file)).toMatchObject([{ level: 40, peer: 'p1', msg: 'something' }]);
  });

  it('is for its owner only, also where its file was open to others', () => {
    const umask = process.umask(0);
    onTestFinished(() => void process.umask(umask));
    const { file, log } = world();
    log.info('first');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    chmodSync(file, 0o666);
    createLog(file).info('second');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('takes no more than two files of its bound, and keeps the newest lines', () => {
    const { file, log, later } = world(2_000);
    for (let i = 0; i < 200; i++) {
      log.info({ i }, 'a line');
      later(60_000);
    }
    expect(statSync(file).size).toBeLessThanOrEqual(2_000);
    expect(statSync(`${file}.1`).size).toBeLessThanOrEqual(2_000);
    const kept = [...linesOf(`${file}.1`), ...linesOf(file)].map(({ i }) => i);
    expect(kept.at(-1)).toBe(199);
    expect(kept).toEqual(kept.map((_, at) => 200 - kept.length + at));
  });

  it('goes on with the bytes of an earlier run', () => {
    const { file, log } = world(2_000);
    log.info({ text: 'x'.repeat(1_800) }, 'of before');
    createLog(file, () => 0, 2_000).info({ text: 'x'.repeat(400) }, 'of now');
    expect(linesOf(`${file}.1`)).toMatchObject([{ msg: 'of before' }]);
    expect(linesOf(file)).toMatchObject([{ msg: 'of now' }]);
  });

  it('drops what cannot be written, says so once, and tells how much is missing when it can write again', () => {
    const { file, log, stderr } = world(undefined, true);
    for (const text of ['one', 'two', 'three']) log.error(text);
    expect(stderr.mock.calls.map(([text]) => text)).toEqual([
      `ace-node: ${file} cannot be written (EISDIR): lines are left out until it can\n`,
    ]);
    rmdirSync(file);
    log.error('four');
    expect(linesOf(file)).toMatchObject([{ missing: 3, code: 'EISDIR' }, { msg: 'four' }]);
  });

  it('begins a new file where somebody took the old one away', () => {
    const { file, log } = world(1_000);
    log.info({ text: 'x'.repeat(900) }, 'gone');
    renameSync(file, `${file}.taken`);
    log.info({ text: 'x'.repeat(900) }, 'here');
    expect(linesOf(file)).toMatchObject([{ msg: 'here' }]);
  });

  it('bounds what a peer puts into an error', () => {
    const { file, log } = world();
    const cause = new Error(`\u0001"${'й'.repeat(100_000)}`);
    const details = { huge: 'x'.repeat(100_000), odd: 1n as unknown as number };
    log.warn({ err: new AceError('MessageMalformed', 'x\u0000'.repeat(50_000), { cause, details }) }, 'bad');
    expect(statSync(file).size).toBeLessThan(4_000);
    expect(linesOf(file)[0]).toMatchObject({ err: { type: 'AceError', code: 'MessageMalformed' } });
  });
});

describe('a line that comes again and again', () => {
  it('is written once a minute for each peer, and summed up when the minute has ended', () => {
    const { file, log, later } = world();
    for (let i = 0; i < 1_000; i++) log.warn({ peer: 'p1' }, 'garbage');
    log.warn({ peer: 'p2' }, 'garbage');
    log.warn({ peer: 'p1' }, 'another kind');
    expect(linesOf(file)).toMatchObject([
      { peer: 'p1', msg: 'garbage' },
      { peer: 'p2', msg: 'garbage' },
      { peer: 'p1', msg: 'another kind' },
    ]);
    later(60_000);
    log.warn({ peer: 'p1' }, 'garbage');
    expect(linesOf(file).slice(3)).toMatchObject([
      { level: 40, leftOut: 999, peer: 'p1', peers: 1, msg: 'more of the same in the last minute: garbage' },
      { peer: 'p1', msg: 'garbage' },
    ]);
  });

  it('has a bound under a thousand names, too', () => {
    const { file, log, later } = world();
    for (let i = 0; i < 1_000; i++) log.warn({ peer: `p${i}` }, 'garbage');
    expect(linesOf(file)).toHaveLength(LINES_A_MINUTE);
    later(60_000);
    log.info('anything');
    const left = 1_000 - LINES_A_MINUTE;
    expect(linesOf(file)[LINES_A_MINUTE]).toMatchObject({ leftOut: left, peers: left });
  });

  it('is summed up although nothing is written after it', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { file, log, later } = world();
    for (let i = 0; i < 9; i++) log.error('own fault');
    later(60_000);
    vi.advanceTimersByTime(60_000);
    expect(linesOf(file).slice(LINES_A_MINUTE)).toMatchObject([{ level: 50, leftOut: 4 }]);
  });
});
