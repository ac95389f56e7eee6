import { describe, expect, it, vi } from 'vitest';
import { type Ask, showsTrayIcons } from '../../../../main/app/tray-host.ts';

const missing = async () => {
  throw new Error('ENOENT');
};

describe('showsTrayIcons', () => {
  it.each(['win32', 'darwin'] as const)('asks nobody on %s, which always shows them', async (platform) => {
    const ask = vi.fn(missing);
    expect(await showsTrayIcons(platform, ask)).toBe(true);
    expect(ask).not.toHaveBeenCalled();
  });

  it.each([
    ['(true,)\n', true],
    ['(false,)\n', false],
  ])('takes the word of the first program that there is: %j', async (said, shown) => {
    const ask = vi.fn<Ask>(async () => said);
    expect(await showsTrayIcons('linux', ask)).toBe(shown);
    expect(ask).toHaveBeenCalledOnce();
  });

  it('asks with the next one where the first is missing', async () => {
    const ask: Ask = async (program) => (program === '/usr/bin/busctl' ? 'b true\n' : missing());
    expect(await showsTrayIcons('linux', ask)).toBe(true);
  });

  it('believes in none where nobody can be asked', async () => {
    expect(await showsTrayIcons('linux', missing)).toBe(false);
  });

  it('runs no program by its name, which a PATH could give a meaning', async () => {
    const ask = vi.fn<Ask>(missing);
    await showsTrayIcons('linux', ask);
    for (const [program] of ask.mock.calls) expect(program).toMatch(/^\/usr\/bin\//);
  });
});
