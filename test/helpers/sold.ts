/** A title with a price, and what an account does to buy it: by the operations that pages and commands use. */
import { join } from 'node:path';
import type { ContentRow } from '../../main/db/node/contents.ts';
import type { RunningPeer } from '../../main/peer/peer.ts';
import { OperationService } from '../../main/service/operations.ts';
import { createDevice } from '../../main/wallet/device.ts';
import { createPhrase } from '../../main/wallet/phrase.ts';
import { parseAmount } from '../../shared/economy/money.ts';
import type { AccessQuoteView, OperationResultView } from '../../shared/rpc/wallet.ts';
import type { Devnet, TestPeer } from './devnet.ts';
import { makeFile } from './files.ts';

export async function soldContent(
  net: Devnet,
  seller: RunningPeer,
  { sizeBytes, price, premium = false, name = 'sold.bin' }: SoldOptions,
): Promise<ContentRow> {
  const path = await makeFile(join(net.dir, name), sizeBytes, name);
  return seller.import({ path, priceXac: parseAmount(price), premium });
}

interface SoldOptions {
  readonly sizeBytes: number;
  /** XAC. */
  readonly price: string;
  readonly premium?: boolean;
  readonly name?: string;
}

export function quoteOf(buyer: RunningPeer, contentId: string): Promise<AccessQuoteView> {
  return new OperationService(buyer, Date.now).quoteAccess({ contentId, premium: false, lastsMs: 0 });
}

/** Exactly what its quote said. */
export async function buy(
  buyer: RunningPeer,
  contentId: string,
): Promise<{ readonly quote: AccessQuoteView; readonly result: OperationResultView }> {
  const quote = await quoteOf(buyer, contentId);
  return { quote, result: await buyQuoted(buyer, quote) };
}

/** What a quote of before said. */
export function buyQuoted(buyer: RunningPeer, quote: AccessQuoteView): Promise<OperationResultView> {
  const { contentId, to, priceXac, premium, lastsMs, expiresAtMs } = quote;
  const wanted = { contentId, to, priceXac, premium, lastsMs, expiresAtMs };
  return new OperationService(buyer, Date.now).buyAccess(wanted);
}

/** Two devices of one new account. */
export async function twoDevices(net: Devnet): Promise<[one: TestPeer, other: TestPeer]> {
  const phrase = createPhrase(12);
  const device = (name: string) => net.peer(name, { phrase, deviceSeed: createDevice().seed() });
  return [await device('one'), await device('other')];
}
