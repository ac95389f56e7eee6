/** The demo's processes, and what they are made to do: each step of the credit story, and the books at its end. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { formatAmount } from '../../shared/economy/money.ts';
import { priceOfUnits } from '../../shared/economy/price.ts';
import { ratio } from '../../shared/economy/ratio.ts';
import { AceError } from '../../shared/errors.ts';
import type { TransferView } from '../../shared/rpc/content.ts';
import { feedListener, type NodeSnapshot } from '../../shared/rpc/rpc.ts';
import { DataDir } from '../data-dir/data-dir.ts';
import { type DemoAccess, sellAndBuy } from './demo-access.ts';
import { readBooks } from './demo-books.ts';
import {
  accessChecks,
  type DemoPlan,
  type DemoResult,
  keptCheck,
  outcomeChecks,
  planDemo,
} from './demo-plan.ts';
import { type NodeConnection, runningNode } from './node-connection.ts';
import type { Child, ProcessGroup } from './processes.ts';
import { Story } from './story.ts';

/** The source documents' price: 1 GB for 0.01 XAC at 100 GB per hour and 1 XAT = 1 XAC, in base units per unit. */
const UNIT_PRICE = ratio(100_000, 1_024);
const TRAFFIC_RATE = '100';
const SETTLEMENT_INTERVAL_MS = 300;
/** Each batch rounds what it charges up to one base unit. */
const ROUNDING_MARGIN = 20n;
/** What viewer and buyer keep, whole tokens. */
const KEPT_XAT = '1.0000000';
const STEP_TIMEOUT_MS = 15 * 60_000;

interface DemoNode {
  readonly child: Child;
  readonly connection: NodeConnection;
  readonly dir: string;
}

export interface DemoContext {
  readonly group: ProcessGroup;
  readonly dir: string;
  /** The user gave it. */
  readonly isDirKept: boolean;
  readonly file: string;
  readonly sizeBytes: number;
}

export class Demo {
  readonly #context: DemoContext;
  readonly #plan: DemoPlan;
  readonly #story = new Story();
  readonly #connections: NodeConnection[] = [];
  /** Why a provider refused the viewer: what the error is called. */
  #refusal: string | null = null;
  #closed: Promise<void> | null = null;

  constructor(context: DemoContext) {
    this.#context = context;
    this.#plan = planDemo(context.sizeBytes);
  }

  async run(): Promise<DemoResult> {
    const plan = this.#plan;
    const validatorDir = join(this.#context.dir, 'validator');
    const validator = await this.#context.group.start('validator', [
      'validator',
      ...['--data-dir', validatorDir],
      ...['--credit-limit', String(plan.creditUnits)],
      ...['--traffic-rate', TRAFFIC_RATE],
      ...['--settlement-interval', String(SETTLEMENT_INTERVAL_MS)],
    ]);
    const [providerA, providerB, viewer] = [
      await this.#startNode('provider A', 'provider-a', validator.ready),
      await this.#startNode('provider B', 'provider-b', validator.ready),
      await this.#startNode('viewer', 'viewer', validator.ready),
    ];
    this.#story.add(
      `devnet: a validator, two providers and a viewer; credit limit ${plan.creditUnits} MiB for each account`,
    );

    const { contentId } = await providerA.connection.call('importFile', { path: this.#context.file });
    this.#story.add(`provider A imports the file: ${plan.units} MiB to pay for`);

    // Provider B buys the file from A, so that there are two to choose from.
    await providerB.connection.call('topUp', { amountXat: priceOf(plan.units + 1) });
    await this.#fetchAll(providerB, contentId, 'provider B fetches from A');
    this.#story.add(`provider B tops up and fetches all of it from A, paid from funds; now both provide it`);

    const access = await this.#accessStory(providerA, providerB);
    await this.#keep(viewer);
    const throughputMiBps = await this.#viewerStory(viewer, { a: providerA, b: providerB }, contentId);
    const sha256 = await hashStream(createReadStream(this.#context.file));
    const { playbackUrl } = await viewer.connection.call('play', { contentId });
    const response = await fetch(playbackUrl);
    if (!response.body) throw new AceError('Internal', 'The viewer plays nothing');
    const sha256Match = (await hashStream(Readable.fromWeb(response.body as never))) === sha256;
    await viewer.connection.call('stop', { contentId });

    const overhead = await this.#settleAll([viewer, providerB, providerA]);
    for (const node of [viewer, providerB, providerA]) {
      await node.child.stop();
    }
    await validator.stop();
    const books = await readBooks({
      validatorDir,
      viewerDir: viewer.dir,
      providerADir: providerA.dir,
      providerBDir: providerB.dir,
    });
    const checks = [
      ...books.checks,
      ...outcomeChecks(plan, { ...books, refusal: this.#refusal }),
      ...accessChecks(access, books),
      keptCheck(books, KEPT_XAT),
    ];
    return {
      contentId,
      file: this.#context.file,
      sizeBytes: this.#context.sizeBytes,
      units: plan.units,
      sha256,
      sha256Match,
      ...books,
      checks,
      conserved: checks.every(({ holds }) => holds),
      refusal: this.#refusal,
      throughputMiBps,
      wireOverheadBytesPerMiB: overhead,
      access,
      leftOut: plan.leftOut,
      story: this.#story.events,
    };
  }

  /** Document 003, with a title of A's and B as its buyer. */
  async #accessStory(seller: DemoNode, buyer: DemoNode): Promise<DemoAccess> {
    await this.#keep(buyer);
    const access = await sellAndBuy(seller.connection, buyer.connection, this.#context.file);
    await this.#settleAll([buyer]);
    this.#story.add(
      `provider A sells access to a title of the premium pool for ${access.priceXac} XAC; without it provider B is refused (${access.refusal.code})`,
    );
    this.#story.add(
      `provider B buys it: ${access.burnedXat} XAT to spend are burned, A gets ${access.sellerXac} XAC, the premium pool ${access.feeXac} XAC, and it plays`,
    );
    return access;
  }

  /** Something that nothing may be charged to. */
  async #keep({ child, connection }: DemoNode): Promise<void> {
    await connection.call('topUp', { amountXat: KEPT_XAT, place: 'main' });
    this.#story.add(
      `${child.name === 'viewer' ? 'the viewer' : child.name} keeps ${KEPT_XAT} XAT: whatever it owes, nothing is charged to it`,
    );
  }

  /** Credit to the limit, refusal, top-up, funds, credit again. The answer is the speed while data flowed. */
  async #viewerStory(
    viewer: DemoNode,
    providers: { a: DemoNode; b: DemoNode },
    contentId: string,
  ): Promise<number> {
    const plan = this.#plan;
    const progress = this.#story.progress('viewer');
    await viewer.connection.call('play', { contentId, download: true });
    const first = await this.#waitFor(viewer, contentId, (t) => {
      progress.update(t.haveBytes, t.sizeBytes);
      // Its shard grants no lease; the provider's own word comes a moment later.
      const isRefused = t.reason?.code === 'CreditExhausted' && t.refusal !== null;
      return t.state === 'done' || (isRefused && t.paidUnits >= plan.creditUnits);
    });
    await this.#settleAll([providers.a, providers.b]);
    await this.#untilCredit(viewer, plan.creditUnits);
    this.#story.add(`the viewer, with nothing to spend, consumes ${plan.creditUnits} MiB on credit: limit 0`);

    const repayXat = priceOf(plan.creditUnits);
    const topUpXat = formatAmount(
      priceOfUnits(plan.creditUnits, UNIT_PRICE) + priceOfUnits(plan.paidUnits, UNIT_PRICE) + ROUNDING_MARGIN,
    );
    if (first.state !== 'done') {
      this.#refusal = first.refusal?.code ?? null;
      this.#story.add(
        `with the credit used up there is no lease, and its provider refuses the next MiB (${this.#refusal ?? 'no answer'}); playback waits`,
      );
      // The rest comes from the other one: the first leaves, with its claims handed in.
      const leavingAccount = first.refusal?.provider ?? '';
      const leaving = leavingAccount === (await accountOf(providers.a)) ? providers.a : providers.b;
      await leaving.child.stop();
      // Funds that were leased to a provider that is gone would be missing at the other one.
      await this.#waitFor(viewer, contentId, ({ providers }) =>
        providers.every(({ account, state }) => account !== leavingAccount || state !== 'connected'),
      );
      this.#story.add(`${leaving.child.name} leaves the network; it is owed ${plan.creditUnits} MiB`);
      await viewer.connection.call('topUp', { amountXat: topUpXat });
      await this.#waitFor(viewer, contentId, (t) => {
        progress.update(t.haveBytes, t.sizeBytes);
        return t.state === 'done';
      });
      await this.#restart(leaving);
      this.#story.add(
        `a top-up of ${topUpXat} XAT repays the loan by itself (${repayXat} XAC) and playback goes on by itself`,
      );
      this.#story.add(
        plan.restUnits > 0
          ? 'from then on it pays from its funds, and when they end the rest is credit again'
          : 'from then on it pays from its funds',
      );
    } else {
      await viewer.connection.call('topUp', { amountXat: topUpXat });
      this.#story.add(`a top-up of ${topUpXat} XAT repays the loan by itself (${repayXat} XAC)`);
    }
    progress.end();
    const { fetchingMs } = await this.#waitFor(viewer, contentId, (t) => t.fetchingMs > 0);
    return Math.round((this.#context.sizeBytes / 1_048_576 / (fetchingMs / 1_000)) * 10) / 10;
  }

  async #fetchAll(node: DemoNode, contentId: string, label: string): Promise<void> {
    const progress = this.#story.progress(label);
    await node.connection.call('play', { contentId, download: true });
    await this.#waitFor(node, contentId, (t) => {
      progress.update(t.haveBytes, t.sizeBytes);
      return t.state === 'done';
    });
    progress.end();
    await node.connection.call('stop', { contentId });
    await this.#settleAll([node]);
  }

  /** Closes what is open, hands in every claim and settles; the answer is the viewer's payment bytes per MiB. */
  async #settleAll(nodes: readonly DemoNode[]): Promise<number> {
    for (const { connection } of [...nodes, ...nodes]) await connection.call('settleNow', {});
    const [first] = nodes;
    if (!first) return 0;
    const { traffic } = await first.connection.call('snapshot', {});
    return Math.round((traffic.paymentBytes / Math.max(1, traffic.downBytes / 1_048_576)) * 10) / 10;
  }

  async #untilCredit(node: DemoNode, usedUnits: number): Promise<void> {
    const deadlineMs = Date.now() + STEP_TIMEOUT_MS;
    for (;;) {
      await node.connection.call('settleNow', {});
      const { credit } = await node.connection.call('snapshot', {});
      if (credit.usedUnits >= usedUnits) return;
      if (Date.now() > deadlineMs) throw new AceError('Internal', 'The demo waits too long for a settlement');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Follows the node's own feed until its transfer is where the story needs it. */
  #waitFor(
    node: DemoNode,
    contentId: string,
    done: (transfer: TransferView) => boolean,
  ): Promise<TransferView> {
    const { promise, resolve, reject } = Promise.withResolvers<TransferView>();
    const timer = setTimeout(
      () => reject(new AceError('Internal', `The demo waits too long for ${node.child.name}`)),
      STEP_TIMEOUT_MS,
    );
    const look = (snapshot: NodeSnapshot) => {
      const transfer = snapshot.transfers.find((t) => t.contentId === contentId);
      if (transfer && done(transfer)) resolve(transfer);
    };
    const unsubscribe = node.connection.subscribe(feedListener({ snapshot: look }));
    node.connection.call('snapshot', {}).then(look, reject);
    return promise.finally(() => {
      clearTimeout(timer);
      unsubscribe();
    });
  }

  async #startNode(name: string, folder: string, validator: string): Promise<DemoNode> {
    const dir = join(this.#context.dir, folder);
    const child = await this.#context.group.start(name, [
      'start',
      '--headless',
      '--data-dir',
      dir,
      '--join',
      validator,
      '--http-port',
      '0',
    ]);
    return { child, connection: await this.#connectTo(dir, name), dir };
  }

  async #connectTo(dir: string, name: string): Promise<NodeConnection> {
    const connection = await runningNode(new DataDir(dir));
    if (!connection) throw new AceError('Internal', `The demo's ${name} does not answer`);
    this.#connections.push(connection);
    return connection;
  }

  /** Ends every process, whatever state it is in, and removes what is not to be kept. Once. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { group, dir, isDirKept } = this.#context;
    await group.killAll();
    this.#story.endProgress();
    await Promise.all(this.#connections.map((connection) => connection.close()));
    if (!isDirKept) await rm(dir, { recursive: true, force: true });
  }

  /** The provider comes back, so that at the end everyone has settled. */
  async #restart(node: DemoNode): Promise<void> {
    const child = await this.#context.group.start(node.child.name, [
      'start',
      '--headless',
      '--data-dir',
      node.dir,
      '--http-port',
      '0',
    ]);
    Object.assign(node, { child, connection: await this.#connectTo(node.dir, node.child.name) });
  }
}

async function accountOf(node: DemoNode): Promise<string> {
  return (await node.connection.call('snapshot', {})).account;
}

/** XAT for so many units at the demo's price and rate 1:1, decimal. */
function priceOf(units: number): string {
  return formatAmount(priceOfUnits(units, UNIT_PRICE));
}

async function hashStream(stream: Readable): Promise<string> {
  const hash = createHash('sha256');
  for await (const data of stream) hash.update(data as Buffer);
  return hash.digest('hex');
}
