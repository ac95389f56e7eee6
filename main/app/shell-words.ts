/** The few words that the shell says by itself: of the same catalogue as the pages, in the language that they have. */
import { m } from '../../shared/i18n/compiled/messages.js';
import type { Language } from '../../shared/rpc/shell.ts';
import { shownName } from '../../shared/shown-name.ts';
import type { Notice } from './notices.ts';

export type MenuWord =
  | 'about'
  | 'actualSize'
  | 'close'
  | 'copy'
  | 'cut'
  | 'edit'
  | 'file'
  | 'fullScreen'
  | 'hide'
  | 'hideOthers'
  | 'paste'
  | 'quit'
  | 'redo'
  | 'selectAll'
  | 'showAll'
  | 'undo'
  | 'view'
  | 'window'
  | 'zoomIn'
  | 'zoomOut';

export interface NoticeWords {
  readonly title: string;
  readonly body: string;
}

export interface ShellWords {
  readonly open: string;
  readonly quit: string;
  readonly closing: string;
  readonly menu: Readonly<Record<MenuWord, string>>;
  readonly notice: (notice: Notice) => NoticeWords;
}

/** Names come from strangers: a line of them is enough. */
const MAX_NAME_COLUMNS = 80;

export function shellWords(locale: Language): ShellWords {
  return {
    open: m.shell_open({}, { locale }),
    quit: m.shell_quit({}, { locale }),
    closing: m.shell_closing({}, { locale }),
    menu: menuWords(locale),
    notice: (notice) => noticeWords(notice, locale),
  };
}

function menuWords(locale: Language): ShellWords['menu'] {
  const options = { locale };
  return {
    about: m.menu_about({}, options),
    actualSize: m.menu_actual_size({}, options),
    close: m.menu_close({}, options),
    copy: m.menu_copy({}, options),
    cut: m.menu_cut({}, options),
    edit: m.menu_edit({}, options),
    file: m.menu_file({}, options),
    fullScreen: m.menu_full_screen({}, options),
    hide: m.menu_hide({}, options),
    hideOthers: m.menu_hide_others({}, options),
    paste: m.menu_paste({}, options),
    quit: m.menu_quit({}, options),
    redo: m.menu_redo({}, options),
    selectAll: m.menu_select_all({}, options),
    showAll: m.menu_show_all({}, options),
    undo: m.menu_undo({}, options),
    view: m.menu_view({}, options),
    window: m.menu_window({}, options),
    zoomIn: m.menu_zoom_in({}, options),
    zoomOut: m.menu_zoom_out({}, options),
  };
}

function noticeWords(notice: Notice, locale: Language): NoticeWords {
  const options = { locale };
  switch (notice.kind) {
    case 'credit-used-up':
      return {
        title: m.shell_credit_used_up({}, options),
        body: m.shell_credit_used_up_text({ name: short(notice.name) }, options),
      };
    case 'loans-repaid':
      return { title: m.shell_loans_repaid({}, options), body: m.shell_loans_repaid_text({}, options) };
    case 'import-finished':
      return {
        title: m.shell_import_finished({}, options),
        body: m.shell_import_finished_text({ name: short(notice.name) }, options),
      };
    case 'broadcast-ended':
      return {
        title: m.shell_broadcast_ended({}, options),
        body: m.shell_broadcast_ended_text({ name: short(notice.name) }, options),
      };
  }
}

function short(name: string): string {
  return shownName(name, MAX_NAME_COLUMNS);
}
