/**
 * One figure, one source: whatever shows what was sent, paid, on its way and owed shows the same at every moment of a busy
 * run. Real nodes over loopback: one that shares, a viewer that pays, and one that watches on credit until it has funds.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { sharingRows as statusRows } from '../../main/cli/sharing-rows.ts';
import { JournalDownloads } from '../../main/journal/downloads.ts';
import { JournalExport } from '../../main/journal/export/export.ts';
import { createLog } from '../../main/process/log.ts';
import { createNodeService } from '../../main/service/node-service.ts';
import { ServiceFeed } from '../../main/service/service-feed.ts';
import { parseAmount } from '../../shared/economy/money.ts';
import { TRAFFIC_UNIT_BYTES, unitsForBytes } from '../../shared/economy/units.ts';
import { ALWAYS } from '../../shared/journal/export.ts';
import type { SharingFiguresView } from '../../shared/rpc/sharing.ts';
import { Devnet, MIB, type TestPeer } from '../helpers/devnet.ts';
import { makeFile } from '../helpers/files.ts';
import { waitFor } from '../helpers/wait.ts';

type Service = ReturnType<typeof serviceOf>;

function serviceOf(peer: TestPeer) {
  const nodeDbPath = join(peer.dir, 'node.db');
  const log = createLog(null);
  const service = createNodeService({
    ...{ peer, nodeDbPath, log, version: '0', dataDir: peer.dir, ownDevnet: false, pagesUrl: () => null },
    ...{ httpPort: () => null, givenPorts: { http: null, p2p: null } as never, feed: new ServiceFeed() },
    downloads: new JournalDownloads({ path: nodeDbPath, nowMs: () => Date.now(), log }),
  });
  return { service, peer, nodeDbPath };
}

const NOTHING_EARNED = { earnedXac: '0.0000000', repaidXac: '0.0000000', earnedXas: '0.0000000' };
const sum = <T>(rows: readonly T[], of: (row: T) => number) =>
  rows.reduce((total, row) => total + of(row), 0);
const money = <T>(rows: readonly T[], of: (row: T) => string) =>
  rows.reduce((total, row) => total + parseAmount(of(row)), 0n);

/** Asked in one turn of the event loop, so that all of it is of one moment. */
async function lookAt({ service, peer }: Service) {
  const [report, snapshot, channels, settled, traffic, today, library, earned] = await Promise.all([
    service.sharing({ period: 'all' }),
    service.snapshot({}),
    service.channels({ limit: 500 }),
    service.settlementSums({ filter: {} }),
    service.trafficReport({ period: 'all' }),
    service.trafficReport({ period: 'today' }),
    service.contents({}),
    service.earnedByTitle({}),
  ]);
  return { report, snapshot, channels, settled, traffic, today, library, earned, now: peer.traffic.now() };
}

/** @returns what the node has sent by then */
async function expectOneTruth(node: Service): Promise<number> {
  const {
    report,
    snapshot,
    channels,
    settled,
    traffic,
    today,
    library,
    earned: earnedTitles,
    now,
  } = await lookAt(node);
  const earning = channels.counterparties.filter(({ direction }) => direction === 'earning');

  const sentBytes = snapshot.traffic.upBytes;
  expect({
    sharing: report.sentBytes,
    days: sum(report.days, (row) => row.sentBytes),
    peers: sum(report.peers, (row) => row.sentBytes),
    titles: sum(report.titles, (row) => row.sentBytes),
    trafficPeers: sum(traffic.peers, (row) => row.upBytes),
    trafficTitles: sum(traffic.contents, (row) => row.upBytes),
    trafficDays: sum(traffic.bars, (row) => row.upBytes),
    trafficHours: sum(today.bars, (row) => row.upBytes),
    today: now.today.upBytes,
    channels: sum(earning, (row) => row.servedBytes),
    channelTitles: sum(channels.contents, (row) => row.servedBytes),
    summary: snapshot.sharing.today.sentBytes,
  }).toEqual(
    Object.fromEntries(
      [
        ...['sharing', 'days', 'peers', 'titles', 'trafficPeers', 'trafficTitles', 'trafficDays'],
        ...['trafficHours', 'today', 'channels', 'channelTitles', 'summary'],
      ].map((name) => [name, sentBytes]),
    ),
  );
  for (const { contentId, servedUnits } of library) {
    const title = report.titles.find((row) => row.contentId === contentId);
    expect(unitsForBytes(title?.sentBytes ?? 0)).toBe(servedUnits);
  }
  for (const title of report.titles) {
    const earnedTitle = earnedTitles.find(({ contentId }) => contentId === title.contentId);
    expect(earnedTitle ?? NOTHING_EARNED).toMatchObject({
      earnedXac: title.earnedXac,
      repaidXac: title.repaidXac,
      earnedXas: title.earnedXas,
    });
  }
  for (const { counterparty, servedBytes, pendingUnits } of earning) {
    const peer = report.peers.find(({ account }) => account === counterparty);
    expect([peer?.sentBytes ?? 0, peer?.pendingUnits ?? 0]).toEqual([servedBytes, pendingUnits]);
  }

  const { earned } = settled;
  const splits: readonly (readonly SharingFiguresView[])[] = [
    [report],
    ...[report.days, report.peers, report.titles],
  ];
  for (const rows of splits) {
    expect({
      paidUnits: sum(rows, (row) => row.paidUnits),
      creditUnits: sum(rows, (row) => row.creditUnits),
      refusedUnits: sum(rows, (row) => row.refusedUnits),
      repaidUnits: sum(rows, (row) => row.repaidUnits),
      feeXac: money(rows, (row) => row.feeXac),
      netXac: money(rows, (row) => row.earnedXac) + money(rows, (row) => row.repaidXac),
    }).toEqual({
      paidUnits: earned.paidUnits,
      creditUnits: earned.creditUnits,
      refusedUnits: earned.refusedUnits,
      repaidUnits: earned.repaidUnits,
      feeXac: parseAmount(earned.feeXac),
      netXac: parseAmount(earned.netXac),
    });
  }

  const settledUnits = earned.paidUnits + earned.creditUnits + earned.refusedUnits;
  expect(sum(earning, (row) => row.settledUnits)).toBe(settledUnits);
  const pendingUnits = node.peer.store.payeeChannels.paidUnits() - settledUnits;
  expect([
    report.pendingUnits,
    snapshot.pending.earnedUnits,
    sum(earning, (row) => row.pendingUnits),
    sum(report.peers, (row) => row.pendingUnits),
    sum(report.titles, (row) => row.pendingUnits),
  ]).toEqual(Array(5).fill(pendingUnits));
  expect(report.pendingXac).toBe(snapshot.pending.earnedXac);
  // Nothing is called paid, owed or on its way that was not sent.
  expect(settledUnits + pendingUnits).toBeLessThanOrEqual(unitsForBytes(sentBytes) + channels.count);

  const owedUnits = earned.creditUnits - earned.repaidUnits;
  const { owed } = snapshot.sharing;
  expect([
    report.owedUnits,
    owed.units,
    sum(owed.debtors, (row) => row.units),
    sum(report.peers, (row) => row.owedUnits),
    sum(report.titles, (row) => row.owedUnits),
  ]).toEqual(Array(5).fill(owedUnits));
  expect(owed.xac).toBe(report.owedXac);
  return sentBytes;
}

/** Status and the exported table, of a node at rest. */
async function expectSameOutside({ service, nodeDbPath }: Service): Promise<void> {
  const { sharing } = await service.snapshot({});
  const report = await service.sharing({ period: 'all' });
  const [[, today] = [], [, owed] = []] = statusRows(sharing);
  const mib = (report.sentBytes / TRAFFIC_UNIT_BYTES).toLocaleString('en', { maximumFractionDigits: 1 });
  expect(today).toContain(`${mib} MiB sent, ${report.earnedXac} XAC earned`);
  if (report.owedUnits > 0) expect(owed).toContain(`${report.owedUnits} MiB, ${report.owedXac} XAC now`);
  else expect(owed).toBe('by nobody');

  const table = new JournalExport(nodeDbPath, { format: 'sharing', period: ALWAYS, bom: false });
  const [heads = [], ...rows] = [...table.pieces()]
    .join('')
    .trimEnd()
    .split('\r\n')
    .map((line) => line.split(','));
  table.close();
  const column = (name: string) => sum(rows, (row) => Number(row[heads.indexOf(name)]));
  expect(column('Sent MiB') * TRAFFIC_UNIT_BYTES).toBe(report.sentBytes);
  expect(column('Paid MiB')).toBe(report.paidUnits);
  expect(column('Repaid MiB')).toBe(report.repaidUnits);
  expect(column('Owed MiB')).toBe(report.owedUnits);
  expect(column('On its way MiB')).toBe(report.pendingUnits);
  const got = rows.reduce((all, row) => all + parseAmount(row[heads.indexOf('Earned XAC')] || '0'), 0n);
  expect(got).toBe(parseAmount(report.earnedXac));
}

it('what was sent, paid, on its way and owed is the same wherever it is shown, at any moment of a busy run', {
  timeout: 120_000,
}, async ({ onTestFinished }) => {
  const net = await Devnet.start({ settlementIntervalMs: 150 });
  onTestFinished(() => net.stop());
  const [provider, payer, borrower] = [
    await net.peer('provider'),
    await net.peer('payer'),
    await net.peer('borrower'),
  ];
  const films = await Promise.all(
    [14.3, 9.6].map(async (units, i) =>
      provider.import({
        path: await makeFile(join(net.dir, `film-${i}.bin`), Math.ceil(units * MIB), `seed ${i}`),
      }),
    ),
  );
  await net.topUp(payer.account.address, 50_000_000n);
  await payer.sync.refresh();
  const nodes = [provider, payer, borrower].map(serviceOf);
  onTestFinished(() => {
    for (const { service } of nodes) service.close();
  });
  const [sharer] = nodes as [Service];

  const transfers = await Promise.all(
    [payer, borrower].flatMap((viewer) => films.map(({ contentId }) => viewer.library.transfer(contentId))),
  );
  for (const transfer of transfers) transfer.download();
  let moments = 0;
  const seen = new Set<number>();
  while (!transfers.every(({ state }) => state === 'done')) {
    for (const node of nodes) seen.add(await expectOneTruth(node));
    moments += 1;
    if (moments % 3 === 0) await provider.claims.now();
    // Any moment will do.
    await delay(Math.random() * 40);
  }
  expect(seen.size).toBeGreaterThan(3);

  for (const viewer of [payer, borrower])
    for (const { contentId } of films) await viewer.library.stopTransfer(contentId);
  await waitFor('all is settled', async () => {
    await sharer.service.settleNow({});
    for (const node of nodes) await expectOneTruth(node);
    return (await sharer.service.snapshot({})).pending.earnedUnits === 0;
  });
  const lent = await sharer.service.sharing({ period: 'all' });
  expect(lent.owedUnits).toBeGreaterThan(0);
  expect(parseAmount(lent.earnedXac)).toBeGreaterThan(0n);
  await borrower.sync.refresh();
  // The debtor's shard says the same.
  expect(lent.owedUnits).toBe(borrower.sync.picture?.account.creditUsedUnits);
  await expectSameOutside(sharer);

  await net.topUp(borrower.account.address, 50_000_000n);
  await waitFor('the loan is repaid', async () => {
    await sharer.service.settleNow({});
    for (const node of nodes) await expectOneTruth(node);
    return (await sharer.service.sharing({ period: 'all' })).owedUnits === 0;
  });
  const repaid = await sharer.service.sharing({ period: 'all' });
  expect(repaid.repaidUnits).toBe(lent.owedUnits);
  expect(sum(repaid.titles, (row) => row.repaidUnits)).toBe(lent.owedUnits);
  expect(repaid.titles.every(({ contentId }) => films.some((film) => film.contentId === contentId))).toBe(
    true,
  );
  await expectSameOutside(sharer);
  console.log(`looked at ${moments} moments of the run`);
});
