/** Colours have one place, app.css: a theme that changes there changes every page. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const RENDERER = join(import.meta.dirname, '../../../renderer');
/** Hex, functions of CSS, and Tailwind's own palette; `#/wallet` and `{#if` are none. */
const RAW =
  /#[0-9a-f]{3,8}\b(?![\w/-])|\b(?:rgba?|hsla?|oklch)\(|\b(?:bg|text|border|fill|from|to)-(?:white|black|(?!linear)[a-z]+-\d{2,3})\b/gi;

describe('colours', () => {
  it.each(globSync(['**/*.svelte', '**/*.ts'], { cwd: RENDERER }))('are tokens in %s', (file) => {
    const source = readFileSync(join(RENDERER, file), 'utf8').replaceAll(/\{#\w+/g, '');
    expect(source.match(RAW) ?? []).toEqual([]);
  });

  it.each(['bg-[#09706b]', 'rgba($1, 0.12)', 'fill="#fff"', 'text-white', 'bg-slate-200'])(
    'are found raw in %s',
    (source) => {
      expect(source.match(RAW)).not.toBeNull();
    },
  );
});
