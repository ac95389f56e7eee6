/** Records of a broadcast that tests make up. */

import { chunkHashesOf, makeTransportFile, pieceHash } from '../../main/content/transport-file.ts';
import { signRecord } from '../../main/live/signed-record.ts';
import type { DeviceIdentity } from '../../main/wallet/device.ts';
import type { LiveRecord } from '../../shared/live/records.ts';
import type { HeardRecord } from '../../shared/live/window.ts';

const BROADCAST = 'bafyreigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi';
export const SEGMENT = 'bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
export const START_MS = 1_800_000_000_000;

export function record(sequence: number, fields: Partial<LiveRecord> = {}): LiveRecord {
  return {
    broadcast: BROADCAST,
    sequence,
    contentId: SEGMENT,
    initContentId: null,
    durationMs: 2_000,
    sizeBytes: 500_000,
    discontinuities: 0,
    startsAtMs: START_MS + sequence * 2_000,
    ...fields,
  };
}

/** Heard when it could be. */
export function heard(sequence: number, fields: Partial<HeardRecord> = {}): HeardRecord {
  return { ...record(sequence, fields), heardAtMs: START_MS + (sequence + 1) * 2_000, ...fields };
}

export function end(sequence: number, fields: Partial<LiveRecord> = {}): LiveRecord {
  return record(sequence, { contentId: null, durationMs: 0, sizeBytes: 0, ...fields });
}

/** A record as it travels, with a segment of bytes of its own. */
export function signedSegment(
  device: DeviceIdentity,
  fields: Partial<LiveRecord> & { readonly sequence: number },
  signer: DeviceIdentity = device,
): Uint8Array {
  const bytes = Buffer.alloc(1_000, `segment ${fields.sequence} ${Math.random()}`);
  const durationMs = fields.durationMs ?? 2_000;
  const segment = makeTransportFile(
    {
      name: `${fields.sequence}.ts`,
      kind: 'vod',
      mimeType: 'video/mp2t',
      sizeBytes: bytes.byteLength,
      durationMs,
      pieceHashes: [pieceHash(chunkHashesOf(bytes))],
    },
    device,
  );
  const made = record(fields.sequence, {
    sizeBytes: bytes.byteLength,
    contentId: segment.contentId,
    ...fields,
  });
  return signRecord(made, segment.bytes, signer);
}
