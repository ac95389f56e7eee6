/** Disks of a few MiB that a test fills and frees, or has fail. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { onTestFinished } from 'vitest';

const BLOCK_BYTES = 4_096;

/** Why there can be none; `null` when there can. */
export function noSmallDisk(): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux';
  const dir = mkdtempSync(join(tmpdir(), 'ace-disk-'));
  try {
    mount(dir, 1_048_576);
    return null;
  } catch {
    return 'needs leave to mount';
  } finally {
    unmount(dir);
  }
}

export class SmallDisk {
  readonly dir: string;

  /** Gone when the running test ends: start it before what runs on it. */
  constructor(sizeBytes: number) {
    this.dir = mkdtempSync(join(tmpdir(), 'ace-disk-'));
    mount(this.dir, sizeBytes);
    onTestFinished(() => unmount(this.dir));
  }

  /** Leaves no room but this, without it not one block. */
  fill(leaveBytes = 0): void {
    const fd = openSync(this.#filler, 'a');
    try {
      for (;;) writeSync(fd, Buffer.alloc(BLOCK_BYTES));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      ftruncateSync(fd, Math.max(0, fstatSync(fd).size - leaveBytes));
    } finally {
      closeSync(fd);
    }
  }

  makeReadOnly(): void {
    execFileSync('mount', ['-o', 'remount,ro', this.dir], { stdio: 'pipe' });
  }

  free(): void {
    rmSync(this.#filler, { force: true });
  }

  get #filler(): string {
    return join(this.dir, 'filler');
  }
}

/** Why there can be no {@link FailingDisk}; `null` when there can. */
export function noFailingDisk(): string | null {
  const why = noSmallDisk();
  if (why !== null) return why;
  const base = mkdtempSync(join(tmpdir(), 'ace-disk-'));
  try {
    const disk = new Ext4(base);
    disk.mount();
    disk.fail();
    disk.unmount();
    return null;
  } catch {
    return 'needs ext4 in a file';
  } finally {
    unmount(join(base, 'disk'));
    rmSync(base, { recursive: true, force: true });
  }
}

/** A disk that the kernel turns read-only under those who have files open on it, as it does after an error. */
export class FailingDisk {
  readonly dir: string;
  readonly #disk: Ext4;

  /** Gone when the running test ends: start it before what runs on it. */
  constructor() {
    const base = mkdtempSync(join(tmpdir(), 'ace-disk-'));
    onTestFinished(() => {
      unmount(this.dir);
      rmSync(base, { recursive: true, force: true });
    });
    this.#disk = new Ext4(base);
    this.dir = this.#disk.dir;
    this.#disk.mount();
  }

  fail(): void {
    this.#disk.fail();
  }

  /** Those who used it have ended. */
  repair(): void {
    this.#disk.unmount();
    this.#disk.check();
    this.#disk.mount();
  }
}

class Ext4 {
  readonly dir: string;
  readonly #image: string;

  constructor(base: string) {
    this.dir = join(base, 'disk');
    this.#image = join(base, 'image');
    mkdirSync(this.dir);
    execFileSync('truncate', ['-s', '96M', this.#image]);
    execFileSync('mkfs.ext4', ['-q', this.#image], { stdio: 'pipe' });
  }

  mount(): void {
    execFileSync('mount', ['-o', 'loop,errors=remount-ro', this.#image, this.dir], { stdio: 'pipe' });
  }

  fail(): void {
    const device = execFileSync('findmnt', ['-no', 'SOURCE', this.dir], { encoding: 'utf8' }).trim();
    writeFileSync(`/sys/fs/ext4/${basename(device)}/trigger_fs_error`, '1');
  }

  unmount(): void {
    execFileSync('umount', [this.dir], { stdio: 'pipe' });
  }

  /** It says 1 when it has mended something. */
  check(): void {
    try {
      execFileSync('fsck.ext4', ['-fy', this.#image], { stdio: 'pipe' });
    } catch (error) {
      if ((error as { status?: number }).status !== 1) throw error;
    }
  }
}

function mount(dir: string, sizeBytes: number): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes},mode=0700`, 'ace-test', dir], {
    stdio: 'pipe',
  });
}

/** Lazily: what was killed may hold a file for a moment. */
function unmount(dir: string): void {
  try {
    execFileSync('umount', ['-l', dir], { stdio: 'pipe' });
  } catch {
    // It was not mounted.
  }
  rmSync(dir, { recursive: true, force: true });
}
