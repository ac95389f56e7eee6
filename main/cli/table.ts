import { padToWidth, shownWidth } from '../../shared/shown-name.ts';

/** Columns as wide as their widest cell, in the cells of a terminal. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => shownWidth(row[column] ?? ''))));
  return all
    .map((row) =>
      row
        .map((cell, column) => padToWidth(cell, widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
