/** `ace-node broadcast --name NAME [--folder DIR]`: a live broadcast, fed by an encoder of the user's. */
import { AceError } from '../../shared/errors.ts';
import type { BroadcastView } from '../../shared/rpc/live.ts';
import type { NodeConfig } from '../data-dir/config.ts';
import { stopSignal } from '../process/stop-signals.ts';
import { givenPath } from '../util/given-path.ts';
import { openConnection } from './node-connection.ts';

export interface BroadcastOptions {
  readonly name: string;
  readonly folder?: string;
  /** XAC for access, from now on. */
  readonly price?: string;
  /** What one purchase lasts, in milliseconds. */
  readonly lasts?: number;
  readonly premium: boolean;
  /** Ends the broadcast of that name instead. */
  readonly end: boolean;
}

/**
 * Prints the content id, then where to push to, a line each. A node that runs goes on with it; one that is started for
 * it runs until a stop signal. The broadcast itself goes on at every start of the node until it is ended.
 */
export async function broadcastCommand(config: NodeConfig, options: BroadcastOptions): Promise<void> {
  const { name, end, price, lasts, premium } = options;
  if (price === undefined && (premium || lasts !== undefined))
    throw new AceError('InvalidInput', '--lasts and --premium are for what has a price: add --price');
  const folder = options.folder === undefined ? undefined : givenPath(options.folder);
  const connection = await openConnection(config);
  try {
    if (end) {
      const open = (await connection.call('broadcasts', {})).find((one) => one.name === name && !one.ended);
      if (!open)
        throw new AceError('BroadcastUnknown', `There is no broadcast "${name}" that could be ended`);
      await connection.call('endBroadcast', { contentId: open.contentId });
      process.stdout.write(`${open.contentId}\n`);
      process.stderr.write(`"${name}" has ended. What was sent last can be watched for a while.\n`);
      return;
    }
    const broadcast = await connection.call('startBroadcast', {
      name,
      ...(folder !== undefined && { folder }),
      ...(price !== undefined && { priceXac: price, premium }),
      ...(lasts !== undefined && { lastsMs: lasts }),
    });
    const signalled = connection.remote ? null : stopSignal(); // a program that reads the address may send one at once
    process.stdout.write(`${broadcast.contentId}\n${folder ?? broadcast.pushUrl}\n`);
    process.stderr.write(`${hintFor(broadcast)}\n`);
    if (signalled === null) return;
    process.stderr.write('Ctrl-C stops the node; the broadcast goes on when it starts again.\n');
    await signalled;
  } finally {
    await connection.close();
  }
}

/** A line to try, and to change: what matters is the HLS part. */
function hintFor({ folder, pushUrl }: BroadcastView): string {
  const input = '-re -f lavfi -i testsrc2=size=1280x720:rate=30 -f lavfi -i sine=frequency=440';
  const codec =
    '-c:v libx264 -preset veryfast -b:v 2500k -pix_fmt yuv420p -g 60 -keyint_min 60 -sc_threshold 0 -c:a aac';
  const hls = '-f hls -hls_time 2 -hls_list_size 10';
  const output =
    folder === null
      ? `${hls} -method PUT -ignore_io_errors 1 '${pushUrl}'`
      : `${hls} -hls_flags delete_segments+temp_file '${folder}/live.m3u8'`;
  return `To try it: ffmpeg ${input} ${codec} ${output}`;
}
