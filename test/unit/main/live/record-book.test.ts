import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { makeBroadcastFile, makeTransportFile } from '../../../../main/content/transport-file.ts';
import { type NodeStore, openNodeStore } from '../../../../main/db/node/store.ts';
import { MAX_AHEAD_MS, RecordBook } from '../../../../main/live/record-book.ts';
import { readMessage, signRecord } from '../../../../main/live/signed-record.ts';
import { createLog } from '../../../../main/process/log.ts';
import { createDevice, verifyDevice } from '../../../../main/wallet/device.ts';
import type { LiveRecord } from '../../../../shared/live/records.ts';
import { WINDOW_MS } from '../../../../shared/live/window.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';
import { end, record, START_MS, signedSegment } from '../../../helpers/live-records.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const device = createDevice();
const { contentId: broadcast, bytes: transport } = makeBroadcastFile(
  { name: 'Harbour', mimeType: 'application/vnd.apple.mpegurl', startedAtMs: START_MS },
  device,
);
let nowMs = START_MS;
let store: NodeStore;
let book: RecordBook;
let gone: string[];

beforeEach(() => {
  nowMs = START_MS + 3_600_000;
  gone = [];
  store = openNodeStore(join(tempDir(), 'node.db'));
  onTestFinished(() => store.close());
  store.commit(() =>
    store.broadcasts.insert({
      contentId: broadcast,
      transport,
      name: 'Harbour',
      mimeType: 'application/vnd.apple.mpegurl',
      addedAtMs: nowMs,
      pushKey: null,
      folder: null,
    }),
  );
  book = new RecordBook({
    store,
    nowMs: () => nowMs,
    log: createLog(null),
    onRecord: () => {},
    onGone: (contentIds) => gone.push(...contentIds),
  });
});

const signed = (sequence: number, fields: Partial<LiveRecord> = {}, signer = device) =>
  signedSegment(device, { broadcast, sequence, ...fields }, signer);
const hear = (message: Uint8Array) => book.hear(broadcast, message);
const numbers = () => book.window(broadcast).map(({ sequence }) => sequence);
const endOf = (sequence: number) => signRecord(end(sequence, { broadcast }), new Uint8Array(0), device);

describe('the records of a broadcast', () => {
  it('are kept in their order, whatever the order that they come in, each once', () => {
    const [a, b, c] = [signed(4), signed(5), signed(6)];
    expect([hear(a), hear(c), hear(b), hear(a)]).toEqual([true, true, true, false]);
    expect(numbers()).toEqual([4, 5, 6]);
    expect(book.completeUpTo(broadcast)).toBe(6);
    const { contentId } = book.window(broadcast)[0] ?? {};
    expect(store.contents.get(contentId ?? '')).toMatchObject({ sizeBytes: 1_000, durationMs: 2_000 });
    expect(store.contents.list()).toEqual([]);
    expect(store.liveRecords.broadcastOf(contentId ?? '')).toBe(broadcast);
  });

  it('are refused when another device has signed them', () => {
    const error = expectAceError('InvalidSignature', () => hear(signed(0, {}, createDevice())));
    expect(error.reaction).toBe('drop-peer');
    expect(numbers()).toEqual([]);
  });

  it('are refused when their segment is another broadcaster’s', () => {
    const stranger = createDevice();
    expectAceError('RecordInvalid', () => hear(signedSegment(stranger, { broadcast, sequence: 0 }, device)));
  });

  it('are refused when they say something else than their segment', () => {
    const { record: told, transport: segment } = readMessage(signed(0));
    for (const fields of [{ durationMs: 3_000 }, { sizeBytes: 999 }]) {
      expectAceError('RecordInvalid', () => hear(signRecord({ ...told, ...fields }, segment, device)));
    }
    const other = readMessage(signed(1)).transport;
    expectAceError('TransportFileInvalid', () => hear(signRecord(told, other, device)));
    expect(numbers()).toEqual([]);
  });

  it('are refused when they are of another broadcast, or too large', () => {
    const other = signedSegment(device, { sequence: 0 });
    expectAceError('RecordInvalid', () => hear(other));
    expectAceError('MessageTooLarge', () => hear(new Uint8Array(5_000)));
    expectAceError('MessageMalformed', () => hear(Buffer.from('junk')));
  });

  it('are refused when two have one number: the first one counts, and both are remembered', () => {
    const [first, second] = [signed(3), signed(3)];
    hear(first);
    const error = expectAceError('RecordContradicts', () => hear(second));
    expect(error.reaction).toBe('ignore');
    expect(book.window(broadcast)[0]?.contentId).toBe(readMessage(first).record.contentId);
    expectAceError('RecordContradicts', () => hear(second));
    const proofs = store.liveRecords.contradictions(broadcast);
    expect(proofs).toMatchObject([{ sequence: 3, atMs: nowMs }]);
    for (const said of [proofs[0]?.first, proofs[0]?.second] as Uint8Array[]) {
      expect(verifyDevice(device.publicKey, said.subarray(64), said.subarray(0, 64))).toBe(true);
    }
  });

  it('contradict nobody by what a stranger has signed', () => {
    hear(signed(3));
    expectAceError('InvalidSignature', () => hear(signed(3, {}, createDevice())));
    expect(store.liveRecords.contradictions(broadcast)).toEqual([]);
  });

  it('are not of a time to come, by more than clocks may differ', () => {
    const error = expectAceError('RecordInvalid', () =>
      hear(signed(0, { startsAtMs: nowMs + MAX_AHEAD_MS + 1 })),
    );
    expect(error.reaction).toBe('ignore');
    expect(hear(signed(0, { startsAtMs: nowMs + MAX_AHEAD_MS }))).toBe(true);
  });

  it('with absurd numbers and times are refused, or hide no right one that comes after', () => {
    const year9999Ms = Date.UTC(9999, 0);
    for (const startsAtMs of [year9999Ms, -1, 2 ** 53, 0.5, Number.NaN]) {
      expect(() => hear(signed(0, { startsAtMs }))).toThrow();
    }
    for (const sequence of [-1, 2 ** 40 + 1, 2 ** 53, 1.5]) expect(() => hear(signed(sequence))).toThrow();
    expect(numbers()).toEqual([]);
    // The largest that may be, and the beginning of time: its broadcaster’s word, and no more than that.
    hear(signed(2 ** 40, { startsAtMs: 0 }));
    expect([hear(signed(0)), hear(signed(1))]).toEqual([true, true]);
    expect(numbers()).toEqual([0, 1, 2 ** 40]);
    expect(book.completeUpTo(broadcast)).toBe(1);
  });

  it('end with the end: nothing comes after it, and it does not come before a segment', () => {
    hear(signed(0));
    hear(signed(1));
    expectAceError('RecordContradicts', () => hear(endOf(1)));
    hear(endOf(2));
    expect(store.broadcasts.get(broadcast)?.ended).toBe(true);
    expectAceError('BroadcastEnded', () => hear(signed(3)));
    const other = readMessage(endOf(9));
    expectAceError('BroadcastEnded', () => hear(signRecord(other.record, new Uint8Array(0), device)));
  });

  it('leave with the window, and their segments with them, while what was received stays a figure', () => {
    for (let i = 0; i < 3; i++) hear(signed(i, { durationMs: 60_000, sizeBytes: 1_000 }));
    const first = book.window(broadcast)[0]?.contentId ?? '';
    store.commit(() => store.contents.addDownBytes(first, 1_000));
    const totals = store.contents.totals();
    for (let i = 3; i < 12; i++) {
      nowMs += 60_000;
      hear(signed(i, { durationMs: 60_000, sizeBytes: 1_000 }));
    }
    expect(numbers()).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(gone).toHaveLength(2);
    expect(gone).toContain(first);
    expect(store.contents.get(first)).toBeNull();
    expect(store.contents.totals()).toEqual(totals);
    expect(store.broadcasts.get(broadcast)?.downBytes).toBe(1_000);
    expect(hear(signed(0))).toBe(false);
  });

  it('are forgotten when nothing has come for as long as the window', () => {
    hear(signed(0));
    nowMs += WINDOW_MS;
    book.dropHeardBefore(broadcast, nowMs - WINDOW_MS);
    expect(numbers()).toEqual([0]);
    book.dropHeardBefore(broadcast, nowMs - WINDOW_MS + 1);
    expect(numbers()).toEqual([]);
    expect(gone).toHaveLength(1);
  });
});

describe('a broadcaster that tells of more than passes', () => {
  it('is held to so many records', () => {
    const take = (from: number, count: number) => {
      let taken = 0;
      for (let i = from; i < from + count; i++) {
        try {
          if (hear(signed(i, { durationMs: 100 }))) taken += 1;
        } catch (error) {
          expect(error).toMatchObject({ code: 'TooManyRequests', reaction: 'ignore' });
        }
      }
      return taken;
    };
    expect(take(0, 200)).toBe(128);
    nowMs += 1_000;
    expect(take(200, 100)).toBe(4);
  });

  it('is held to the time that passes', () => {
    for (let i = 0; i < 11; i++) hear(signed(i, { durationMs: 60_000 }));
    expectAceError('TooManyRequests', () => hear(signed(11, { durationMs: 60_000 })));
    nowMs += 48_000;
    expect(hear(signed(11, { durationMs: 60_000 }))).toBe(true);
    expectAceError('TooManyRequests', () => hear(signed(12, { durationMs: 60_000 })));
  });
});

it('a broadcaster that names a content of the library as its segment neither hides nor removes it', () => {
  const film = makeTransportFile(
    {
      name: 'Film.mp4',
      kind: 'vod',
      mimeType: 'video/mp4',
      sizeBytes: 5,
      durationMs: 2_000,
      pieceHashes: [new Uint8Array(32)],
    },
    device,
  );
  store.commit(() =>
    store.contents.insert({
      contentId: film.contentId,
      transport: film.bytes,
      name: 'Film.mp4',
      mimeType: 'video/mp4',
      sizeBytes: 5,
      durationMs: 2_000,
      origin: 'imported',
      addedAtMs: nowMs,
    }),
  );
  const said = record(0, {
    broadcast,
    contentId: film.contentId,
    initContentId: film.contentId,
    sizeBytes: 5,
  });
  hear(signRecord(said, film.bytes, device));
  store.commit(() => store.liveRecords.claim(film.contentId, broadcast));
  expect(store.contents.list().map(({ name }) => name)).toEqual(['Film.mp4']);
  book.dropHeardBefore(broadcast, nowMs + 1);
  expect(numbers()).toEqual([]);
  expect(store.contents.get(film.contentId)).toMatchObject({ name: 'Film.mp4', origin: 'imported' });
  expect(gone).toEqual([]);
});
