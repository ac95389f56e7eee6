import * as dagCbor from '@ipld/dag-cbor';
import { describe, expect, it } from 'vitest';
import {
  contentIdOf,
  makeBroadcastFile,
  readAnyTransportFile,
  readTransportFile,
} from '../../../../main/content/transport-file.ts';
import { type DeviceIdentity, deviceFromSeed } from '../../../../main/wallet/device.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

const DEVICE = deviceFromSeed(new Uint8Array(32).fill(7));
const OTHER = deviceFromSeed(new Uint8Array(32).fill(8));
const FILE = { name: 'Гавань', mimeType: 'application/vnd.apple.mpegurl', startedAtMs: 1_800_000_000_000 };

const fields = () => [FILE.name, 'live', FILE.mimeType, FILE.startedAtMs, DEVICE.publicKey];

function signed(body: readonly unknown[], device: DeviceIdentity = DEVICE): Uint8Array {
  const bytes = dagCbor.encode(body);
  return dagCbor.encode(['ace-transport-1', bytes, device.sign(bytes)]);
}

const read = (bytes: Uint8Array) => readAnyTransportFile(contentIdOf(bytes), bytes);

describe('the transport file of a broadcast', () => {
  it('has the content id that it had on every other machine', () => {
    // Frozen: another id for the same broadcast would make every shared link worthless.
    expect(makeBroadcastFile(FILE, DEVICE).contentId).toBe(
      'bafyreibua55x4kzirtvoeeihbmm3b3fy6dq2xnfge4s6lbdoka23e3ldsm',
    );
  });

  it('is read as it was made, and is no content that could be fetched', () => {
    const { contentId, bytes } = makeBroadcastFile(FILE, DEVICE);
    expect(readAnyTransportFile(contentId, bytes)).toMatchObject({ ...FILE, kind: 'live' });
    expectAceError('ContentIsLive', () => readTransportFile(contentId, bytes));
  });

  it('is another one for another time, name or device', () => {
    const ids = [
      makeBroadcastFile(FILE, DEVICE),
      makeBroadcastFile({ ...FILE, startedAtMs: FILE.startedAtMs + 1 }, DEVICE),
      makeBroadcastFile({ ...FILE, name: 'Hall' }, DEVICE),
      makeBroadcastFile(FILE, OTHER),
    ].map(({ contentId }) => contentId);
    expect(new Set(ids).size).toBe(4);
  });

  it.each<[string, readonly unknown[]]>([
    ['a name with a path in it', fields().with(0, '../name')],
    ['no name', fields().with(0, '')],
    ['another kind', fields().with(1, 'vod')],
    ['a MIME type that is none', fields().with(2, 'text')],
    ['a time that is none', fields().with(3, -1)],
    ['a device that is none', fields().with(4, new Uint8Array(31))],
    ['a field too many', [...fields(), 0]],
  ])('is refused with %s', (_what, body) => {
    expect(read(signed(fields()))).toMatchObject({ kind: 'live' });
    expectAceError('TransportFileInvalid', () => read(signed(body)));
  });

  it('is refused when another device has signed it, or it is not what was asked for', () => {
    expectAceError('TransportFileInvalid', () => read(signed(fields(), OTHER)));
    const other = makeBroadcastFile({ ...FILE, name: 'Hall' }, DEVICE).contentId;
    expectAceError('TransportFileInvalid', () => readAnyTransportFile(other, signed(fields())));
  });
});
