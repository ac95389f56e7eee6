/** Real media by ffmpeg, and the players that judge them. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The path of a program, or `null`: its tests are skipped then, and `npm test` says how to install it. */
export function findProgram(name: string): string | null {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const paths = (process.env.PATH ?? '').split(delimiter).map((dir) => join(dir, name + suffix));
  return paths.find((path) => existsSync(path)) ?? null;
}

export interface MediaOptions {
  readonly seconds: number;
  /** Encoder of the picture, `null` for none. */
  readonly video?: string | null;
  readonly audio?: string | null;
  /** Of the picture. A still pattern would come out far smaller. */
  readonly bitrate?: string;
  readonly extra?: readonly string[];
}

/** Writes moving noise and a tone; the name decides the format. */
export async function makeVideo(path: string, options: MediaOptions): Promise<string> {
  const { seconds, video = 'libx264', audio = 'aac', bitrate = '300k', extra = [] } = options;
  const length = ['-t', String(seconds)];
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=24,noise=alls=60:allf=t'];
  const sound = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'];
  await run(findProgram('ffmpeg') ?? 'ffmpeg', [
    ...['-hide_banner', '-loglevel', 'error', '-nostdin', '-y'],
    ...(video === null ? [] : picture),
    ...(audio === null ? [] : sound),
    ...(video === null ? [] : ['-c:v', video, ...encoderSpeed(video), '-pix_fmt', 'yuv420p', '-g', '24']),
    ...(video === null
      ? []
      : ['-b:v', bitrate, '-minrate', bitrate, '-maxrate', bitrate, '-bufsize', bitrate]),
    ...(audio === null ? [] : ['-c:a', audio, '-ac', '2', '-strict', '-2']),
    ...length,
    ...extra,
    path,
  ]);
  return path;
}

function encoderSpeed(video: string): string[] {
  if (video.startsWith('libvpx')) return ['-deadline', 'realtime', '-cpu-used', '8'];
  return video.startsWith('libx26') ? ['-preset', 'ultrafast'] : [];
}

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, whatever that is. Whoever takes longer than a minute is stopped. */
export async function runProgram(path: string, args: readonly string[]): Promise<Ended> {
  try {
    const { stdout, stderr } = await run(path, args, { timeout: 60_000, maxBuffer: 64 * 1_048_576 });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string };
    return { code: typeof code === 'number' ? code : -1, stdout, stderr };
  }
}
