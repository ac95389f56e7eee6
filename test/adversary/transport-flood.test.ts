/** Transport files are free, and no cap of the user's slows them: one peer must not have all of the upload that way. */
import { join } from 'node:path';
import type { Connection, Libp2p } from '@libp2p/interface';
import { expect, it, onTestFinished } from 'vitest';
import { openNodeStore } from '../../main/db/node/store.ts';
import { FreeUpload, type FreeUploadRates } from '../../main/p2p/free-upload.ts';
import { createHost } from '../../main/p2p/host.ts';
import { MAX_STANDINGS } from '../../main/p2p/limits.ts';
import { PeerStanding, standingOf } from '../../main/p2p/peer-standing.ts';
import { askRecords, serveLive } from '../../main/p2p/protocols/live/protocol.ts';
import {
  fetchTransportFile,
  serveTransportFiles,
  TRANSPORT_RATES,
} from '../../main/p2p/protocols/transport/protocol.ts';
import { FREE_UPLOAD_RATES, RISK_LIMITS } from '../../main/peer/limits.ts';
import { createLog } from '../../main/process/log.ts';
import { createDevice } from '../../main/wallet/device.ts';
import { createPhrase } from '../../main/wallet/phrase.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { MIB, useDevnet } from '../helpers/devnet.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { waitFor } from '../helpers/wait.ts';

it('a peer that asks for transport files again and again gets some, and then none; another one gets its own', async () => {
  const net = await useDevnet();
  const provider = await net.peer('provider');
  const { contentId } = await net.content(provider, MIB);
  const { requests } = TRANSPORT_RATES;
  const greedy = await RawViewer.start(net);
  const startedAtMs = performance.now();
  const ask = (viewer: RawViewer) =>
    fetchTransportFile(viewer.host, provider.host.getMultiaddrs(), contentId);
  let given = 0;
  for (let round = 0; round < 40; round++) {
    const answers = await Promise.allSettled(Array.from({ length: 8 }, () => ask(greedy)));
    given += answers.filter(({ status }) => status === 'fulfilled').length;
  }
  const seconds = (performance.now() - startedAtMs) / 1_000;
  expect(given).toBeGreaterThan(requests.burst / 2);
  expect(given).toBeLessThanOrEqual(requests.burst + requests.perSecond * seconds + 1);
  await expectAceRejection('TooManyRequests', Promise.all(Array.from({ length: 8 }, () => ask(greedy))));
  expect((await ask(await RawViewer.start(net))).file).toMatchObject({ sizeBytes: MIB });
});

// Sixteen files of 2 MiB for each fresh identity, before: 1 GiB of upload for thirty of them.
it('fresh identities get so many bytes of transport files together, and who has paid gets its own', async () => {
  const net = await useDevnet();
  const { store, ...provider } = await net.peer('provider');
  const { contentId } = await net.content({ ...provider, store }, 8 * MIB);
  const host = await createHost({ deviceSeed: createDevice().seed(), listen: ['/ip4/127.0.0.1/tcp/0'] });
  onTestFinished(async () => host.stop());
  const fileBytes = store.contents.get(contentId)?.transport.byteLength ?? 0;
  const rates: FreeUploadRates = {
    group: { burst: 2.5 * fileBytes, perSecond: 0.001 },
    all: { burst: 5.5 * fileBytes, perSecond: 0.001 },
  };
  let visitors = 0;
  const homes = new Map<string, string>();
  const originOf = ({ remotePeer }: { readonly remotePeer: { toString(): string } }) => {
    const peerId = remotePeer.toString();
    if (!homes.has(peerId)) homes.set(peerId, `network ${visitors++ % 3}`);
    return homes.get(peerId) ?? null;
  };
  const free = new FreeUpload({ host, rates, originOf, nowMs: () => performance.now() });
  await serveTransportFiles(host, store, () => 'offered', free, createLog(null));
  const ask = async (viewer: RawViewer) => {
    const got = await fetchTransportFile(viewer.host, host.getMultiaddrs(), contentId).catch(() => null);
    return got === null ? 0 : 1;
  };
  const strangers = await Promise.all(Array.from({ length: 12 }, () => RawViewer.start(net)));
  let given = 0;
  for (const stranger of strangers) given += (await ask(stranger)) + (await ask(stranger));
  // Each bucket gives once more than it has, and owes it.
  expect(given).toBe(6);
  const known = await RawViewer.start(net);
  expect(await ask(known)).toBe(0);
  standingOf(host).paid(known.host.peerId.toString(), 1);
  expect(await ask(known)).toBe(1);
});

// One paid unit gave every device of the account files without a bound over all of them, before.
it('an account that paid has as many bytes of files a day as it paid for, over all its devices', () => {
  const standing = new PeerStanding();
  const free = new FreeUpload({
    host: { services: { standing } },
    rates: { group: { burst: MIB, perSecond: 0.001 }, all: { burst: MIB, perSecond: 0.001 } },
    originOf: () => 'somewhere',
    nowMs: () => 0,
  });
  const sentMiB = (peerId: string) => {
    const connection = { remotePeer: { toString: () => peerId } } as Connection;
    let sent = 0;
    for (; free.retryAfterMs(connection) === 0; sent++) free.charge(connection, MIB);
    return sent;
  };
  for (const device of ['phone', 'television']) standing.paid(device, 3, 'account');
  // What strangers have is there for it, too.
  expect([sentMiB('phone'), sentMiB('television')]).toEqual([3 + 1, 0]);
  standing.paid('other', 2, 'other account');
  expect([sentMiB('other'), sentMiB('stranger')]).toEqual([2, 0]);
});

// A file on its first unit made it a stranger for days, before, whatever it paid since.
it('an account that had more than it had paid for is no stranger once it has paid more', () => {
  const standing = new PeerStanding();
  const free = new FreeUpload({
    host: { services: { standing } },
    rates: { group: { burst: 1, perSecond: 0.001 }, all: { burst: 1, perSecond: 0.001 } },
    originOf: () => 'somewhere',
    nowMs: () => 0,
  });
  const of = (peerId: string) => ({ remotePeer: { toString: () => peerId } }) as Connection;
  const waitMs = (peerId: string) => free.retryAfterMs(of(peerId));
  free.charge(of('stranger'), MIB);
  for (const device of ['phone', 'television']) standing.paid(device, 1, 'account');
  free.charge(of('phone'), 2 * MIB);
  expect([waitMs('phone') > 0, waitMs('television') > 0]).toEqual([true, true]);
  standing.paid('phone', 5, 'account');
  expect([waitMs('phone'), waitMs('television') > 0]).toEqual([0, true]);
  // What the other device knows of it is old, and takes nothing from this one.
  free.charge(of('phone'), 2 * MIB);
  free.charge(of('television'), MIB);
  expect(waitMs('phone')).toBe(0);
  free.charge(of('phone'), MIB);
  expect(waitMs('phone')).toBeGreaterThan(0);
});

// Each refusal was counted as upload, before: 60 bytes of what all strangers have, as often as one of them asked.
it('a network that is refused answers about broadcasts uses up nothing of what others have', async () => {
  const listen = ['/ip4/127.0.0.1/tcp/0'];
  const hosts = await Promise.all(
    Array.from({ length: 3 }, () => createHost({ deviceSeed: createDevice().seed(), listen })),
  );
  const [host, greedy, other] = hosts as [Libp2p, Libp2p, Libp2p];
  const store = openNodeStore(join(tempDir(), 'node.db'));
  onTestFinished(async () => {
    await Promise.all(hosts.map((one) => one.stop()));
    store.close();
  });
  const free = new FreeUpload({
    host,
    rates: { group: { burst: 1, perSecond: 0.001 }, all: { burst: 400, perSecond: 0.001 } },
    originOf: ({ remotePeer }) => remotePeer.toString(),
    nowMs: () => performance.now(),
  });
  await serveLive(host, { store, isOffered: () => false, free, log: createLog(null) });
  const ask = (viewer: Libp2p) =>
    askRecords(viewer, host.getMultiaddrs(), `b${'a'.repeat(58)}`, 0).catch(({ code }) => code);
  expect(await ask(greedy)).toBe('BroadcastUnknown');
  for (let asked = 0; asked < 20; asked++) expect(await ask(greedy)).toBe('TooManyRequests');
  expect(await ask(other)).toBe('BroadcastUnknown');
});

// One unit on free credit made all devices of an account known here, before: each had files without a bound over all.
it('a tick on credit makes nobody known to a provider', async () => {
  const net = await useDevnet({ settlementIntervalMs: 3_600_000 });
  const provider = await net.peer('provider');
  const { contentId } = await net.content(provider, 2 * MIB);
  const viewer = await RawViewer.start(net);
  const channel = await viewer.lease(provider, 4);
  const stream = await viewer.open(provider, channel);
  stream.request(contentId, 0);
  await stream.takePiece();
  stream.pay(channel, 1);
  const paid = () => provider.store.payeeChannels.all()[0]?.state.paidUnits;
  await waitFor('the tick', () => paid() === 1);
  await viewer.greet(provider);
  expect(standingOf(provider.host).of(viewer.host.peerId.toString())).toMatchObject({
    paidUnits: 0,
    usedAtMs: null,
  });
});

// Ten minutes after its greeting it shared with strangers, before, however much it was sent on that stream.
it('a device of this account stays known to a provider while it asks on one stream', async () => {
  const net = await useDevnet();
  const phrase = createPhrase(12);
  const secrets = () => ({ phrase, deviceSeed: createDevice().seed() });
  const provider = await net.peer('provider', secrets());
  const { contentId } = await net.content(provider, MIB);
  const own = await RawViewer.start(net, secrets());
  const standing = standingOf(provider.host);
  const isKnown = () => standing.of(own.host.peerId.toString()).usedAtMs !== null;
  const stream = await own.greet(provider);
  await waitFor('the greeting', isKnown);
  // As good as the time: so many others that it is forgotten.
  for (let n = 0; n < MAX_STANDINGS; n++) standing.used(`other ${n}`);
  expect(isKnown()).toBe(false);
  stream.request(contentId, 0);
  await stream.takePiece();
  expect(isKnown()).toBe(true);
});

it('what strangers get for nothing, twice, and on credit is less than 1 GiB in a day', () => {
  const { burst, perSecond } = FREE_UPLOAD_RATES.all;
  const filesMiB = (burst + perSecond * 86_400) / MIB;
  const { resends, newcomersUnits } = RISK_LIMITS;
  const againMiB = resends.all.burst + resends.all.perSecond * 86_400;
  expect(filesMiB + againMiB + newcomersUnits).toBeLessThan(1_024);
});
