/** A real encoder: ffmpeg makes a moving test picture with a tone, and writes HLS to an address or a folder. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0;

export interface EncoderOptions {
  /** Playlist: an address that takes PUT, or a path. */
  readonly target: string;
  readonly fragmented?: boolean;
  readonly seconds?: number;
  readonly segmentSeconds?: number;
  /** So many times as fast as it plays. */
  readonly rate?: number;
  readonly flags?: string;
  readonly audio?: 'aac' | 'ac3';
  readonly video?: 'libx264' | 'libx265';
}

export class Encoder {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #said = '';

  constructor(options: EncoderOptions) {
    this.#child = spawn('ffmpeg', encoderArgs(options), { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#ended = once(this.#child, 'close');
    this.#child.stderr?.on('data', (data: Buffer) => {
      this.#said = (this.#said + data.toString()).slice(-4_000);
    });
  }

  get said(): string {
    return this.#said;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async ended(): Promise<number | null> {
    await this.#ended;
    return this.#child.exitCode;
  }

  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.running) this.#child.kill(signal);
    await this.#ended;
  }
}

function encoderArgs({
  target,
  fragmented,
  seconds,
  segmentSeconds = 1,
  rate = 1,
  flags,
  audio = 'aac',
  video = 'libx264',
}: EncoderOptions): string[] {
  const pushes = target.startsWith('http');
  return [
    ...['-hide_banner', '-loglevel', 'error', '-readrate', String(rate)],
    ...['-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=20'],
    ...['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100'],
    ...(seconds === undefined ? [] : ['-t', String(seconds)]),
    ...['-c:v', video, '-preset', 'ultrafast', '-b:v', '400k', '-pix_fmt', 'yuv420p'],
    ...['-g', '20', '-keyint_min', '20', '-sc_threshold', '0', '-c:a', audio, '-b:a', '64k'],
    ...['-f', 'hls', '-hls_time', String(segmentSeconds), '-hls_list_size', '8'],
    ...(fragmented ? ['-hls_segment_type', 'fmp4'] : []),
    ...(flags ? ['-hls_flags', flags] : []),
    ...(pushes ? ['-method', 'PUT', '-ignore_io_errors', '1'] : []),
    target,
  ];
}

export interface Decoded {
  readonly frames: number;
  /** Of each frame, in seconds, as they were decoded. */
  readonly times: readonly number[];
}

/** Decodes what a playlist leads to, for so long of play. */
export async function decode(url: string, seconds: number): Promise<Decoded> {
  const { stdout } = await run(
    'ffprobe',
    [
      ...['-v', 'error', '-select_streams', 'v:0', '-read_intervals', `%+${seconds}`],
      ...['-show_entries', 'frame=best_effort_timestamp_time', '-of', 'csv=p=0', url],
    ],
    { timeout: 90_000, maxBuffer: 16 * 1_048_576 },
  );
  const times = stdout
    .split('\n')
    .map((line) => Number.parseFloat(line))
    .filter((time) => Number.isFinite(time));
  return { frames: times.length, times };
}
