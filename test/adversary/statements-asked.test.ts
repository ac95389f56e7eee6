/**
 * A statement of 500 rows took a shard 33 ms, for anyone who asked, of anybody's account: eight strangers brought the others'
 * wait from 1.7 to 944 ms. Now it is told to the account's devices, each row is signed once, and rows are counted, not
 * requests. What is left of the work is printed.
 */
import { expect, it, onTestFinished, vi } from 'vitest';
import { STATEMENT_PAGE } from '../../main/p2p/protocols/shard/constants.ts';
import { Announcers } from '../../main/validator/announcers.ts';
import { settle } from '../../main/validator/batching.ts';
import { type HandlerContext, shardHandlers } from '../../main/validator/handlers.ts';
import { ROWS_RATE } from '../../main/validator/limits.ts';
import { encodeCertificate, issueCertificate } from '../../main/wallet/certificate.ts';
import { peerIdOf } from '../../main/wallet/device-peer-id.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { fetchWhole, MIB, settleUp, useDevnet } from '../helpers/devnet.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';
import { type Party, party, START_MS, TestShard } from '../helpers/shard.ts';
import { tempDir } from '../helpers/temp-dir.ts';

it('a stranger is told no statement of another account, whatever certificate it shows', async () => {
  const net = await useDevnet();
  const [provider, viewer] = [await net.peer('provider'), await net.peer('viewer')];
  const { contentId } = await net.content(provider, MIB);
  await fetchWhole(viewer, contentId);
  await settleUp(viewer, provider, contentId);
  const account = viewer.account.address;
  const ask = { account, afterSeq: 0 };
  const own = await viewer.shardClient.call('statement', { ...ask, certificate: viewer.certificate });
  expect(own.rows).toHaveLength(1);
  expect(await viewer.shardClient.call('statement', { ...ask, certificate: viewer.certificate })).toEqual(
    own,
  );
  const stranger = await RawViewer.start(net);
  const withOne = (certificate: Uint8Array) => stranger.shard.call('statement', { ...ask, certificate });
  await expectAceRejection('NotAllowed', withOne(stranger.certificate));
  await expectAceRejection('InvalidCertificate', withOne(viewer.certificate));
});

/** Enough to see what a row costs; a page has five times as many. */
const ROWS = 100;

/** A shard with a statement of that many rows for the payer, not told yet, and how often it has signed since. */
async function useStatement(payer: Party) {
  const shard = new TestShard(tempDir(), { trafficCreditLimitUnits: ROWS });
  onTestFinished(() => shard.close());
  for (let n = 0; n < ROWS; n++) shard.claim(await shard.lease(payer, party(101 + n), 1), 1);
  while (await settle(shard.context));
  let signed = 0;
  const { context, settings } = shard;
  const { key } = context;
  const counted = {
    ...key,
    sign(bytes: Uint8Array) {
      signed += 1;
      return key.sign(bytes);
    },
  };
  // All that a statement is made of is real; what other methods ask is left out.
  const handlers = shardHandlers({
    ...context,
    key: counted,
    announcers: new Announcers(settings),
  } as unknown as HandlerContext);
  return { shard, handlers, signed: () => signed };
}

it('a statement is signed once, however often it is asked for, and each of its rows counts against what a peer may ask', async () => {
  const payer = party(1);
  const { shard, handlers, signed } = await useStatement(payer);
  const { account, device } = payer;
  const issued = await issueCertificate(account, shard.settings, device.publicKey, START_MS);
  const params = { account: account.address, afterSeq: 0, certificate: encodeCertificate(issued) };
  const ask = () => handlers.statement(params, { peerId: peerIdOf(device.publicKey), origin: null });
  // No time passes, so that no rows are free again, however slow the machine is.
  const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
  onTestFinished(() => clock.mockRestore());
  expect((await ask()).rows).toHaveLength(ROWS);
  const before = process.cpuUsage();
  const asks = ROWS_RATE.burst / ROWS - 1;
  for (let i = 0; i < asks; i++) await ask();
  const { user, system } = process.cpuUsage(before);
  const ofOneMs = (user + system) / 1_000 / (asks * ROWS);
  console.info(`told again: ${(ofOneMs * STATEMENT_PAGE).toFixed(1)} ms for ${STATEMENT_PAGE} rows`);
  expect(signed()).toBe(ROWS);
  await expectAceRejection('TooManyRequests', ask());
});
