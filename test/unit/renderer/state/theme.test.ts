import { beforeEach, describe, expect, it, vi } from 'vitest';

/** What the system has, and may change. */
class SystemTheme extends EventTarget {
  matches = false;

  turn(dark: boolean): void {
    this.matches = dark;
    this.dispatchEvent(Object.assign(new Event('change'), { matches: dark }));
  }
}
let system: SystemTheme;

beforeEach(() => {
  localStorage.clear();
  vi.resetModules();
  system = new SystemTheme();
  vi.spyOn(globalThis, 'matchMedia').mockReturnValue(system as unknown as MediaQueryList);
});

/** As a page that is loaded anew has it. */
async function loaded() {
  const { theme } = await import('../../../../renderer/state/theme.svelte.ts');
  theme.start();
  return theme;
}

describe('theme', () => {
  it('is that of the system until another is chosen', async () => {
    const theme = await loaded();
    expect(theme).toMatchObject({ theme: 'system', dark: false });
    system.turn(true);
    expect(theme.dark).toBe(true);
    expect(document.documentElement.dataset.theme).toBeUndefined();
  });

  it('holds against the system once it is chosen, and is kept', async () => {
    const theme = await loaded();
    theme.theme = 'light';
    system.turn(true);
    expect(theme.dark).toBe(false);
    expect(document.documentElement.dataset.theme).toBe('light');
    vi.resetModules();
    expect((await loaded()).theme).toBe('light');
  });

  it('knows no other than its own', async () => {
    localStorage.setItem('ace-node-theme', 'pink');
    expect((await loaded()).theme).toBe('system');
  });
});
