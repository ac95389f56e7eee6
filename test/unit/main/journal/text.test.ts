import { expect, it } from 'vitest';
import { cell } from '../../../../main/journal/text.ts';

it.each(['=1+1', '+1', '-1', '@A1', '＝1+1', '＋1', '－1', '＠A1'])(
  'a cell with another’s %j is no formula',
  (text) => {
    expect(cell(text)).toBe(`'${text}`);
    expect(cell(`\t\u200b ${text}`)).toBe(`'${text}`);
    expect(cell(`a${text}`)).toBe(`a${text}`);
  },
);
