/** The few words that the shell says by itself, in the languages of the pages. */
import type { Language } from '../../shared/rpc/shell.ts';
import type { Notice } from './notices.ts';

export interface ShellWords {
  readonly open: string;
  readonly quit: string;
  readonly closing: string;
  readonly notice: (notice: Notice) => { readonly title: string; readonly body: string };
}

/** Names come from strangers: a line of them is enough. */
const MAX_NAME_CHARS = 80;

const ENGLISH: ShellWords = {
  open: 'Open Ace Node',
  quit: 'Quit',
  closing: 'Ace Node is closing: channels are being closed…',
  notice: (notice) => {
    switch (notice.kind) {
      case 'credit-used-up':
        return {
          title: 'Credit is used up',
          body: `“${short(notice.name)}” is paused. Top up to go on watching.`,
        };
      case 'loans-repaid':
        return { title: 'Loans are repaid', body: 'Your whole credit is free again.' };
      case 'import-finished':
        return { title: 'Import finished', body: `“${short(notice.name)}” is shared now.` };
      case 'broadcast-ended':
        return { title: 'Broadcast ended', body: `“${short(notice.name)}” has ended.` };
    }
  },
};

const RUSSIAN: ShellWords = {
  open: 'Открыть Ace Node',
  quit: 'Выйти',
  closing: 'Ace Node завершает работу: каналы закрываются…',
  notice: (notice) => {
    switch (notice.kind) {
      case 'credit-used-up':
        return {
          title: 'Кредит исчерпан',
          body: `«${short(notice.name)}» на паузе. Пополните счёт, чтобы смотреть дальше.`,
        };
      case 'loans-repaid':
        return { title: 'Кредит погашен', body: 'Весь кредит снова доступен.' };
      case 'import-finished':
        return { title: 'Импорт завершён', body: `Файл «${short(notice.name)}» теперь раздаётся.` };
      case 'broadcast-ended':
        return { title: 'Трансляция закончилась', body: `Трансляция «${short(notice.name)}» закончилась.` };
    }
  },
};

const WORDS: Readonly<Record<Language, ShellWords>> = { en: ENGLISH, ru: RUSSIAN };

export function shellWords(language: Language): ShellWords {
  return WORDS[language];
}

function short(name: string): string {
  const line = name.replace(/\p{C}+/gu, ' ').trim();
  return line.length > MAX_NAME_CHARS ? `${line.slice(0, MAX_NAME_CHARS - 1)}…` : line;
}
