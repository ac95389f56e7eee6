/** What a page's main thread is busy with, as the browser itself records it. */
import type { Page } from 'playwright-core';

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly args: { readonly name?: string };
  /** Of the processor, in microseconds. */
  readonly tdur?: number;
}

const CATEGORIES = ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline'];

/** The longest task meanwhile, in time of the processor, which a busy machine does not lengthen as it does the clock's. */
export async function longestTaskMs(page: Page, work: () => Promise<void>): Promise<number> {
  const browser = page.context().browser();
  if (!browser) throw new Error('The page has no browser of its own');
  await browser.startTracing(page, { categories: CATEGORIES });
  let recorded: Buffer;
  try {
    await work();
    await page.evaluate('new Promise((resolve) => requestIdleCallback(resolve))');
  } finally {
    recorded = await browser.stopTracing();
  }
  const trace = JSON.parse(recorded.toString()) as { traceEvents: TraceEvent[] };
  const threadOf = ({ pid, tid }: TraceEvent) => `${pid} ${tid}`;
  const pages = trace.traceEvents.filter(
    ({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain',
  );
  const main = new Set(pages.map(threadOf));
  const tasks = trace.traceEvents.filter((event) => event.name === 'RunTask' && main.has(threadOf(event)));
  const times = tasks.flatMap(({ tdur }) => tdur ?? []);
  if (times.length === 0) throw new Error('The browser has recorded no task');
  return Math.max(...times) / 1_000;
}
