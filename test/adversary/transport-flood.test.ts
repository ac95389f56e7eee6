/** Transport files are free, and no cap of the user's slows them: one peer must not have all of the upload that way. */
import { expect, it } from 'vitest';
import { fetchTransportFile, TRANSPORT_RATES } from '../../main/p2p/protocols/transport/protocol.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { MIB, useDevnet } from '../helpers/devnet.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';

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
  await expectAceRejection('ContentUnknown', Promise.all(Array.from({ length: 8 }, () => ask(greedy))));
  expect((await ask(await RawViewer.start(net))).file).toMatchObject({ sizeBytes: MIB });
});
