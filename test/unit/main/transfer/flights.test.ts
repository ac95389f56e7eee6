import { expect, it } from 'vitest';
import { type Flight, Flights } from '../../../../main/transfer/flights.ts';
import type { Member } from '../../../../main/transfer/providers.ts';

const PIECE = 1_000;

function flightOf(pieceIndex: number, providerId: string, isDouble = false): Flight {
  return {
    ...{ pieceIndex, providerId, isDouble, bytes: PIECE, video: false, startedAtMs: 0, expectedMs: 1 },
    member: {} as Member, // not looked at
    abort: new AbortController(),
  };
}

it('does not count a piece that is here as late, though its slower provider is still sending it', async () => {
  const here = new Set<number>();
  const flights = new Flights(
    (pieceIndex) => here.has(pieceIndex),
    () => undefined,
  );
  const [slow, fast] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  flights.add(flightOf(7, 'slow'), slow.promise);
  flights.add(flightOf(7, 'fast', true), fast.promise);
  expect(flights.missingBytes).toBe(PIECE);
  expect(flights.pending(() => 0)).toMatchObject([{ pieceIndex: 7, providerId: 'slow', doubled: true }]);

  here.add(7);
  fast.resolve();
  await fast.promise;
  expect(flights.pending(() => 0)).toEqual([]);
  expect(flights.missingBytes).toBe(0);
  expect(flights.has(7)).toBe(true);

  slow.resolve();
  await flights.landed();
  expect(flights.size).toBe(0);
});
