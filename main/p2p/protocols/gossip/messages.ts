/** The one message of the gossip: a payer's checkpoint, with the terms and the lease that show whose it is. */
import * as dagCbor from '@ipld/dag-cbor';
import {
  type ChannelTerms,
  type Checkpoint,
  decodeCheckpoint,
  decodeTerms,
  SIGNATURE_BYTES,
} from '../../../../shared/channel/records.ts';
import { isBytes, tuple } from '../../../../shared/channel/tuple.ts';
import { AceError } from '../../../../shared/errors.ts';
import type { LeasedCheckpoint } from '../../../channel/observer.ts';
import { MAX_GOSSIP_BYTES } from './constants.ts';

export interface ReadCheckpoint extends LeasedCheckpoint {
  readonly decodedTerms: ChannelTerms;
  readonly checkpoint: Checkpoint;
}

const TAG = 'ace-gossip-1';

export function encodeGossip(signed: LeasedCheckpoint): Uint8Array {
  const { terms, termsSignature, leaseSignature, record, payerSignature } = signed;
  return dagCbor.encode([TAG, terms, termsSignature, leaseSignature, record, payerSignature]);
}

/** @throws AceError `MessageTooLarge`, `MessageMalformed`; signatures are for the witness */
export function decodeGossip(bytes: Uint8Array): ReadCheckpoint {
  if (bytes.byteLength > MAX_GOSSIP_BYTES) {
    throw new AceError('MessageTooLarge', `Gossip has at most ${MAX_GOSSIP_BYTES} bytes`, {
      reaction: 'drop-peer',
    });
  }
  const [, terms, termsSignature, leaseSignature, record, payerSignature] = tuple(bytes, TAG, 6, 'gossip');
  const valid =
    terms instanceof Uint8Array &&
    record instanceof Uint8Array &&
    isBytes(termsSignature, SIGNATURE_BYTES) &&
    isBytes(leaseSignature, SIGNATURE_BYTES) &&
    isBytes(payerSignature, SIGNATURE_BYTES);
  if (!valid) throw new AceError('MessageMalformed', 'The gossip is malformed', { reaction: 'drop-peer' });
  return {
    terms,
    termsSignature,
    leaseSignature,
    record,
    payerSignature,
    decodedTerms: decodeTerms(terms),
    checkpoint: decodeCheckpoint(record),
  };
}
