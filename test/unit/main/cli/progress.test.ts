import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createProgress, mebibytes } from '../../../../main/cli/progress.ts';

/** Something to draw on that remembers all that was written. */
function screen(isTTY: boolean) {
  const out = Object.assign(new PassThrough(), { isTTY }) as unknown as NodeJS.WriteStream;
  return { out, written: () => String((out as unknown as PassThrough).read() ?? '') };
}

describe('progress', () => {
  it('writes nothing when it is piped', () => {
    const { out, written } = screen(false);
    const progress = createProgress('film.mp4', out);
    for (let done = 0; done <= 100; done++) progress.update(done, 100);
    progress.end();
    expect(written()).toBe('');
  });

  it('is one line on a terminal that ends with a line break', () => {
    const { out, written } = screen(true);
    const progress = createProgress('film.mp4', out);
    progress.update(1_048_576, 4_194_304);
    progress.update(4_194_304, 4_194_304);
    progress.end();
    const text = written();
    expect(text).toContain('film.mp4');
    expect(text).toContain('25 %  1 MiB of 4 MiB');
    expect(text).toContain('100 %  4 MiB of 4 MiB');
    expect(text.split('\n')).toHaveLength(2);
    expect(text.endsWith('\n')).toBe(true);
  });

  it('is not drawn for every piece, but always at the end', () => {
    const { out, written } = screen(true);
    const progress = createProgress('film.mp4', out);
    for (let done = 1; done <= 10_000; done++) progress.update(done, 10_000);
    const draws = written().split('\r').length - 1;
    expect(draws).toBeGreaterThanOrEqual(2);
    expect(draws).toBeLessThan(100);
  });

  it('writes no line break when nothing was drawn', () => {
    const { out, written } = screen(true);
    createProgress('film.mp4', out).end();
    expect(written()).toBe('');
  });

  it('is whole for an empty total', () => {
    const { out, written } = screen(true);
    createProgress('film.mp4', out).update(0, 0);
    expect(written()).toContain('100 %');
  });
});

describe('mebibytes', () => {
  it.each([
    [0, '0 MiB'],
    [1_048_576, '1 MiB'],
    [1_572_864, '1.5 MiB'],
    [1_048_576 * 1_234, '1,234 MiB'],
  ])('of %i is "%s"', (bytes, text) => {
    expect(mebibytes(bytes)).toBe(text);
  });
});
