/** Progress of a long job, on a terminal only: one line that moves. Nothing is written when piped. */
export interface Progress {
  update(doneBytes: number, totalBytes: number, note?: string): void;
  /** Ends the line, so that what follows stands on its own. */
  end(): void;
}

const REDRAW_MS = 100;
const BAR_WIDTH = 24;

export function createProgress(label: string, out: NodeJS.WriteStream = process.stderr): Progress {
  if (!out.isTTY) return { update: () => {}, end: () => {} };
  let drawnAtMs = 0;
  let drawn = false;
  return {
    update(doneBytes, totalBytes, note = '') {
      const nowMs = Date.now();
      if (nowMs - drawnAtMs < REDRAW_MS && doneBytes < totalBytes) return;
      drawnAtMs = nowMs;
      drawn = true;
      const done = totalBytes === 0 ? 1 : doneBytes / totalBytes;
      const bar = '█'.repeat(Math.round(done * BAR_WIDTH)).padEnd(BAR_WIDTH, '░');
      out.write(
        `\r\x1b[2K${label} ${bar} ${Math.floor(done * 100)} %  ${mebibytes(doneBytes)} of ${mebibytes(totalBytes)} ${note}`,
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
