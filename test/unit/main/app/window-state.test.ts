import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_SIZE, place, readWindowState, workAreas } from '../../../../main/app/window-state.ts';

const left = { x: 0, y: 0, width: 1_280, height: 700 };
const right = { x: 1_280, y: 0, width: 1_920, height: 1_080 };
const at = (x: number, y: number, width = 1_000, height = 600) => ({ x, y, width, height, maximized: false });

describe('place', () => {
  it('leaves the place to the system at first', () => {
    expect(place(null, [right])).toEqual({ bounds: null, size: DEFAULT_SIZE, maximized: false });
  });

  it('puts the window where it was', () => {
    expect(place(at(1_300, 20), [left, right]).bounds).toEqual({
      x: 1_300,
      y: 20,
      width: 1_000,
      height: 600,
    });
    expect(place({ ...at(0, 0), maximized: true }, [left]).maximized).toBe(true);
  });

  it.each([
    ['the screen is gone', at(1_300, 20)],
    ['only a strip too narrow to be got hold of is on a screen', at(1_280 - 119, 20)],
    ['the title bar is above', at(10, -1)],
    ['the title bar is below', at(10, 669)],
    ['everything is far away', at(-90_000, -90_000)],
  ])('lets the system choose where %s, and keeps the size', (_why, state) => {
    const { bounds, size } = place(state, [left]);
    expect(bounds).toBeNull();
    expect(size).toEqual({ width: 1_000, height: 600 });
  });

  it('keeps a window of which enough can be got hold of', () => {
    expect(place(at(1_280 - 120, 668), [left]).bounds).not.toBeNull();
    expect(place(at(-880, 0), [left]).bounds).not.toBeNull();
  });

  it('makes a window no larger than its screen and no smaller than it can be used', () => {
    expect(place(at(0, 0, 5_000, 4_000), [left]).size).toEqual({ width: 1_280, height: 700 });
    expect(place(at(0, 0, 200, 2), [left]).size).toEqual({ width: 380, height: 480 });
    expect(place(at(5_000, 0, 3_000, 2_000), [left]).size).toEqual({ width: 1_280, height: 700 });
  });

  it('takes the main screen first', () => {
    const screen = {
      getPrimaryDisplay: () => ({ id: 2, workArea: right }),
      getAllDisplays: () => [
        { id: 1, workArea: left },
        { id: 2, workArea: right },
      ],
    };
    expect(workAreas(screen as never)).toEqual([right, left]);
  });
});

describe('readWindowState', () => {
  it.each(['', 'null', '{}', '{"x":0,"y":0,"width":-5,"height":1,"maximized":false}', '{"x":1e99}'])(
    'takes %j as never written',
    (text) => {
      const dir = mkdtempSync(join(tmpdir(), 'ace-window-'));
      const file = join(dir, 'window.json');
      expect(readWindowState(file)).toBeNull();
      writeFileSync(file, text);
      expect(readWindowState(file)).toBeNull();
      rmSync(dir, { recursive: true });
    },
  );
});
