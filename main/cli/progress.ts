import { shownName } from '../../shared/shown-name.ts';

/** Progress of a long job, on a terminal only: one line that moves. Nothing is written when piped. */
export interface Progress {
  update(done: number, total: number, note?: string): void;
  /** Ends the line, so that what follows stands on its own. */
  end(): void;
}

const REDRAW_MS = 100;
const BAR_WIDTH = 24;
/** The line must stay one, or it does not move. */
const MAX_LABEL_COLUMNS = 32;

/** `count` writes the amount that is done: bytes when left out. */
export function createProgress(
  label: string,
  out: NodeJS.WriteStream = process.stderr,
  count: (done: number) => string = mebibytes,
): Progress {
  if (!out.isTTY) return { update: () => {}, end: () => {} };
  const shownLabel = shownName(label, MAX_LABEL_COLUMNS);
  let drawnAtMs = 0;
  let drawn = false;
  return {
    update(done, total, note = '') {
      const nowMs = Date.now();
      if (nowMs - drawnAtMs < REDRAW_MS && done < total) return;
      drawnAtMs = nowMs;
      drawn = true;
      const part = total === 0 ? 1 : done / total;
      const bar = '█'.repeat(Math.round(part * BAR_WIDTH)).padEnd(BAR_WIDTH, '░');
      out.write(
        `\r\x1b[2K${shownLabel} ${bar} ${Math.floor(part * 100)} %  ${count(done)} of ${count(total)} ${note}`,
      );
    },
    end() {
      if (drawn) out.write('\n');
      drawn = false;
    },
  };
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 1_048_576).toLocaleString('en', { maximumFractionDigits: 1 })} MiB`;
}
