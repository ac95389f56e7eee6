/**
 * A record as it travels: its bytes, the broadcaster's signature of them, and the transport file of the segment, so that
 * who hears of a segment can fetch it at once.
 */
import * as dagCbor from '@ipld/dag-cbor';
import { sameBytes } from '../../shared/bytes.ts';
import { isBytes, tuple } from '../../shared/channel/tuple.ts';
import { AceError } from '../../shared/errors.ts';
import { decodeLiveRecord, encodeLiveRecord, type LiveRecord } from '../../shared/live/records.ts';
import { type BroadcastFile, readTransportFile, type TransportFile } from '../content/transport-file.ts';
import { MAX_LIVE_MESSAGE_BYTES } from '../p2p/protocols/live/constants.ts';
import { type DeviceIdentity, verifyDevice } from '../wallet/device.ts';

const TAG = 'ace-live-1';
const SIGNATURE_BYTES = 64;

export interface ReadMessage {
  readonly record: LiveRecord;
  /** What is signed. */
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
  /** Of the segment; empty for the end. */
  readonly transport: Uint8Array;
}

/** @param transport the segment's transport file; empty for the end */
export function signRecord(record: LiveRecord, transport: Uint8Array, device: DeviceIdentity): Uint8Array {
  const bytes = encodeLiveRecord(record);
  return dagCbor.encode([TAG, bytes, device.sign(bytes), transport]);
}

/** Reads a message; who signed it is for {@link verifyRecord}. @throws AceError `MessageTooLarge`, `MessageMalformed`, `RecordInvalid` */
export function readMessage(message: Uint8Array): ReadMessage {
  if (message.byteLength > MAX_LIVE_MESSAGE_BYTES) {
    throw new AceError('MessageTooLarge', `A live record has at most ${MAX_LIVE_MESSAGE_BYTES} bytes`, {
      reaction: 'drop-peer',
    });
  }
  const [, bytes, signature, transport] = tuple(message, TAG, 4, 'live message');
  if (
    !(bytes instanceof Uint8Array) ||
    !isBytes(signature, SIGNATURE_BYTES) ||
    !(transport instanceof Uint8Array)
  ) {
    throw new AceError('MessageMalformed', 'The live message is malformed', { reaction: 'drop-peer' });
  }
  return { record: decodeLiveRecord(bytes), bytes, signature, transport };
}

/** @throws AceError `InvalidSignature` when the broadcaster's device did not sign it */
export function verifyRecord({ bytes, signature }: ReadMessage, broadcaster: Uint8Array): void {
  if (verifyDevice(broadcaster, bytes, signature)) return;
  throw new AceError('InvalidSignature', 'The record of a broadcast is not signed by its broadcaster', {
    reaction: 'drop-peer',
  });
}

/**
 * The segment of a record that was verified; `null` for the end.
 * @throws AceError `TransportFileInvalid`, `RecordInvalid` when the two disagree
 */
export function segmentOf({ record, transport }: ReadMessage, file: BroadcastFile): TransportFile | null {
  if (record.contentId === null) {
    if (transport.byteLength > 0) throw contradictory('an end has no segment');
    return null;
  }
  const segment = readTransportFile(record.contentId, transport);
  if (!sameBytes(segment.broadcaster, file.broadcaster))
    throw contradictory('its segment is another broadcaster’s');
  if (segment.sizeBytes !== record.sizeBytes || segment.durationMs !== record.durationMs)
    throw contradictory('its segment has other figures');
  return segment;
}

function contradictory(why: string): AceError {
  return new AceError('RecordInvalid', `The record of the broadcast is refused: ${why}`, {
    reaction: 'drop-peer',
  });
}
