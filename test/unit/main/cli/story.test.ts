import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Story } from '../../../../main/cli/story.ts';

function told(isTTY: boolean): { written: string; events: string[] } {
  const stream = new PassThrough();
  const story = new Story(Object.assign(stream, { isTTY }) as unknown as NodeJS.WriteStream);
  story.progress('viewer').update(1, 4);
  story.add('the credit is used up');
  story.add('a top-up');
  return { written: String(stream.read() ?? ''), events: story.events.map(({ what }) => what) };
}

describe('Story', () => {
  it('ends an unfinished bar before a line is told', () => {
    const [bar, ...lines] = told(true).written.split('\n');
    expect(bar).toContain('25 %');
    expect(lines).toEqual(['· the credit is used up', '· a top-up', '']);
  });

  it('keeps what is told and writes nothing when it is piped', () => {
    expect(told(false)).toEqual({ written: '', events: ['the credit is used up', 'a top-up'] });
  });
});
