/** A number or amount that regresses or overflows 2^53, in every message that has one. */
import * as dagCbor from '@ipld/dag-cbor';
import { varint } from 'multiformats';
import { describe, expect, it } from 'vitest';
import { methods } from '../../main/p2p/protocols/shard/messages.ts';
import { checked } from '../../main/p2p/typed-rpc.ts';
import { decodeMessage, encodeMessage, type Message } from '../../main/pieces/messages.ts';
import {
  decodeCheckpoint,
  decodeTerms,
  encodeCheckpoint,
  encodeTerms,
} from '../../shared/channel/records.ts';
import { amount, MAX_AMOUNT } from '../../shared/economy/money.ts';
import { decodeSignedOperation, encodeSignedOperation } from '../../shared/economy/operation.ts';
import { AceError } from '../../shared/errors.ts';
import { decodeBatch, encodeBatch } from '../../shared/settlement/batch.ts';
import { expectAceError } from '../helpers/ace-error.ts';
import { entry, nextBatch } from '../helpers/chain.ts';
import { party } from '../helpers/shard.ts';
import { Stage, serveUnits } from '../helpers/stage.ts';

const [payer, payee] = [party(1), party(2)];
/** What no count, index, size or time can be. */
const WRONG: readonly unknown[] = [2 ** 53, 2n ** 53n, 2n ** 64n - 1n, -1, 1.5, '7', null, true];

/** Positions of the whole numbers in a list that are not refused when they are wrong. */
function taken(list: Uint8Array, decode: (bytes: Uint8Array) => unknown): string[] {
  decode(list);
  const items = dagCbor.decode(list) as unknown[];
  return items.flatMap((value, at) => {
    if (typeof value !== 'number') return [];
    return WRONG.filter((wrong) => {
      try {
        decode(dagCbor.encode(items.with(at, wrong)));
        return true;
      } catch (error) {
        if (!(error instanceof AceError)) throw error;
        return false;
      }
    }).map((wrong) => `${at}: ${wrong}`);
  });
}

describe('a number that overflows 2^53, is negative, or is none', () => {
  it('is refused in every signed record', async () => {
    const stage = new Stage([payer]);
    const leased = await stage.shard.lease(payer, payee, 20);
    const checkpoint = decodeCheckpoint(stage.shard.checkpoint(leased, { units: 3 }).record);
    const batch = await nextBatch(stage.shard.chain, [
      entry(payer.account.address, payee.account.address, 3),
    ]);
    const swap = {
      kind: 'swap' as const,
      from: payer.account.address,
      sell: 'XAT' as const,
      buy: 'XAC' as const,
      amount: amount(5n),
      minReceived: amount(1n),
      deadlineMs: 1,
      nonce: 0,
    };
    const operation = encodeSignedOperation(swap, new Uint8Array(65));
    expect(taken(encodeTerms(leased.terms), decodeTerms)).toEqual([]);
    expect(taken(encodeCheckpoint(checkpoint), decodeCheckpoint)).toEqual([]);
    expect(taken(encodeBatch(batch), decodeBatch)).toEqual([]);
    // Amounts go further than counts, to the most that can exist.
    const beyond = taken(operation, decodeSignedOperation).filter(
      (each) => !/^[45]: 9007199254740992$/.test(each),
    );
    expect(beyond).toEqual([]);
    const tooMuch = (dagCbor.decode(operation) as unknown[]).with(4, MAX_AMOUNT + 1n);
    expectAceError('InvalidAmount', () => decodeSignedOperation(dagCbor.encode(tooMuch)));
  });

  it('is refused in every message between viewer and provider', () => {
    const messages: [number, Message][] = [
      [2, { type: 'opened', paidUnits: 1, servedBytes: 1 }],
      [2, { type: 'request', id: 1, contentId: 'x', pieceIndex: 1 }],
      [2, { type: 'ask', id: 1, contentId: 'x', pieceIndex: 1 }],
      [1, { type: 'countersigned', channelId: new Uint8Array(32), number: 1, signature: new Uint8Array(64) }],
      [1, { type: 'refused', id: 1, code: 'X' }],
      [2, { type: 'refused', id: 1, code: 'X', forMs: 1 }],
    ];
    for (const [numbers, message] of messages) {
      const frame = encodeMessage(message).subarray();
      const body = frame.subarray(1);
      expect((dagCbor.decode(body) as unknown[]).filter((v) => typeof v === 'number')).toHaveLength(numbers);
      expect(taken(body, (bytes) => decodeMessage(Buffer.concat([frame.subarray(0, 1), bytes])))).toEqual([]);
    }
  });

  it('of a refusal is how long it lasts: a month at most, and left out where nobody knows', () => {
    const refused = (forMs?: number): Message => ({ type: 'refused', id: 1, code: 'X', forMs });
    const taken = (message: Message) => decodeMessage(encodeMessage(message).subarray());
    const mostMs = 32 * 86_400_000;
    expect(taken(refused())).toEqual({ type: 'refused', id: 1, code: 'X' });
    expect(taken(refused(mostMs))).toEqual(refused(mostMs));
    expectAceError('MessageMalformed', () => taken(refused(mostMs + 1)));
    const body = (...values: unknown[]) => Buffer.concat([Buffer.of(10), dagCbor.encode(values)]);
    expect(decodeMessage(body(1, 'X', 5))).toEqual(refused(5));
    for (const values of [[1], [1, 'X', null], [1, 'X', 5, 5], ['X', 5]])
      expectAceError('MessageMalformed', () => decodeMessage(body(...values)));
  });

  it('is refused in every message that is packed by hand', () => {
    const huge = varint.encodeTo(2 ** 53, new Uint8Array(8));
    const packed: [Message, number][] = [
      [{ type: 'tick', index: 1, tick: new Uint8Array(32) }, 1],
      [{ type: 'piece', id: 1, chunkHashes: new Uint8Array(32) }, 1],
      [{ type: 'withdraw', id: 1 }, 1],
    ];
    for (const [message, numbers] of packed) {
      const frame = encodeMessage(message).subarray();
      decodeMessage(frame);
      for (let at = 1; at <= numbers; at++) {
        for (const wrong of [huge, new Uint8Array(12).fill(0xff)]) {
          const bytes = Buffer.concat([frame.subarray(0, at), wrong, frame.subarray(at + 1)]);
          expectAceError('MessageMalformed', () => decodeMessage(bytes));
        }
      }
    }
  });

  it('is refused in every request to the shard', () => {
    const channelId = new Uint8Array(32);
    const { address } = payer.account;
    const of = {
      claim: (units: unknown) => ({ channelId, units, tick: channelId, checkpoint: null }),
      statement: (afterSeq: unknown) => ({ account: address, afterSeq, certificate: channelId }),
    };
    for (const method of ['claim', 'statement'] as const) {
      checked(methods[method].params as never, of[method](1));
      for (const wrong of [...WRONG, Number.NaN, Number.POSITIVE_INFINITY]) {
        expectAceError('MessageMalformed', () => checked(methods[method].params as never, of[method](wrong)));
      }
    }
    for (const wrong of [-1, -1n, 1.5, '7', null]) {
      const params = { account: address, amountXat: wrong };
      expectAceError('MessageMalformed', () => checked(methods.faucet.params as never, params));
    }
  });
});

describe('a number that regresses', () => {
  it('in ticks, checkpoints and claims changes no book, and costs nobody a base unit', async () => {
    const stage = new Stage([payer]);
    const provider = stage.provider(2);
    const leased = await stage.shard.lease(payer, payee, 20);
    const channel = await provider.open(leased);
    for (let unit = 1; unit <= 5; unit++) {
      serveUnits(channel, 1, unit);
      channel.receiveTick(unit, leased.chain.tick(unit));
    }
    channel.commit();
    const who = { account: payer.account.address, device: payer.device.publicKey };
    const said = (number: number, units: number) => {
      const { record, payerSignature } = stage.shard.checkpoint(leased, { number, units });
      return provider.service.countersign(who, record, payerSignature).then(
        () => 'signed',
        (error: AceError) => error.code,
      );
    };
    expect(await said(10, 5)).toBe('signed');
    channel.receiveTick(2, leased.chain.tick(2));
    expect(await said(9, 5)).toBe('CheckpointNotIncreasing');
    expect(await said(11, 4)).toBe('CheckpointMismatch');
    expect(await said(10, 4)).toBe('CheckpointNotIncreasing');
    const late = stage.shard.checkpoint(leased, { number: 10, units: 5 });
    stage.shard.claim(leased, 5, { checkpoint: late });
    for (const [number, units] of [
      [3, 2],
      [11, 3],
    ] as const) {
      const checkpoint = stage.shard.checkpoint(leased, { number, units });
      expect(stage.shard.claim(leased, units, { checkpoint }).claimedUnits).toBe(5);
    }
    expect(provider.store.payeeChannels.get(leased.channelId)).toMatchObject({
      state: { paidUnits: 5, checkpointNumber: 10, checkpointUnits: 5 },
    });
    await stage.settleAll();
    await stage.expectPaid(payer, payee, 5);
  });
});
