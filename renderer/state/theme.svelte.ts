/** Light, dark, or as the system has it: an attribute of the document that app.css goes by. */
export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'ace-node-theme';

class ThemeState {
  #theme = $state<Theme>(kept());
  readonly #systemDark = matchMedia('(prefers-color-scheme: dark)');
  #systemIsDark = $state(this.#systemDark.matches);
  /** What is on the screen: charts draw their own colours. */
  readonly dark = $derived(this.#theme === 'system' ? this.#systemIsDark : this.#theme === 'dark');

  get theme(): Theme {
    return this.#theme;
  }

  set theme(theme: Theme) {
    this.#theme = theme;
    localStorage.setItem(KEY, theme);
    show(theme);
  }

  start(): void {
    show(this.#theme);
    this.#systemDark.addEventListener('change', ({ matches }) => {
      this.#systemIsDark = matches;
    });
  }
}

export const theme = new ThemeState();

function kept(): Theme {
  const value = localStorage.getItem(KEY);
  return THEMES.find((name) => name === value) ?? 'system';
}

function show(name: Theme): void {
  if (name === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
}
