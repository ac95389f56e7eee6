import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openNodeStore } from '../../../../../main/db/node/store.ts';
import { tempDir } from '../../../../helpers/temp-dir.ts';

const TITLES = 1_200;

it('a library that is read in parts is the whole one, in its order, and others work between the parts', async () => {
  const store = openNodeStore(join(tempDir(), 'node.db'));
  onTestFinished(() => store.close());
  store.commit(() => {
    for (let i = 0; i < TITLES; i++) {
      store.contents.insert({
        contentId: `b${(i * 7_919) % TITLES}`,
        transport: Uint8Array.of(1),
        name: `Film ${i}.mp4`,
        mimeType: 'video/mp4',
        sizeBytes: 10,
        durationMs: 0,
        origin: 'fetched',
        addedAtMs: Math.floor(i / 2),
      });
    }
  });
  let others = 0;
  let reading = true;
  const work = () => {
    others += 1;
    if (reading) setImmediate(work);
  };
  setImmediate(work);
  const listed = await store.contents.listInParts();
  reading = false;
  expect(listed).toHaveLength(TITLES);
  expect(listed).toEqual(store.contents.list());
  expect(others).toBeGreaterThanOrEqual(4);
});
