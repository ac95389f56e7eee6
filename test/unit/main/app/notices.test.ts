import { describe, expect, it } from 'vitest';
import { NoticeWatch, noticeTarget } from '../../../../main/app/notices.ts';
import { shellWords } from '../../../../main/app/shell-words.ts';
import type { ContentView } from '../../../../shared/rpc/content.ts';
import type { NodeSnapshot } from '../../../../shared/rpc/rpc.ts';

const snapshot = (usedUnits: number, ...paused: string[]) =>
  ({
    credit: { usedUnits },
    transfers: [
      { contentId: 'running', name: 'Running', reason: null },
      { contentId: 'away', name: 'Away', reason: { code: 'ShardUnavailable', message: '' } },
      ...paused.map((id) => ({
        contentId: id,
        name: `Film ${id}`,
        reason: { code: 'CreditExhausted', message: '' },
      })),
    ],
  }) as unknown as NodeSnapshot;

const content = (contentId: string, more: Partial<ContentView> = {}) =>
  ({ contentId, name: contentId, origin: 'imported', ...more }) as ContentView;
const live = (ended: boolean, own = false) => ({ live: { own, ended, heardAtMs: null } });

describe('NoticeWatch', () => {
  it('takes the first picture as known', () => {
    const watch = new NoticeWatch();
    expect(watch.onSnapshot(snapshot(10_240, 'a'))).toEqual([]);
    expect(watch.onContents([content('a'), content('b', live(true))])).toEqual([]);
  });

  it('tells once that credit is used up, and again after it was there', () => {
    const watch = new NoticeWatch();
    watch.onSnapshot(snapshot(10_239));
    const used = { kind: 'credit-used-up', contentId: 'a', name: 'Film a' };
    expect(watch.onSnapshot(snapshot(10_240, 'a'))).toEqual([used]);
    expect(watch.onSnapshot(snapshot(10_240, 'a'))).toEqual([]);
    expect(watch.onSnapshot(snapshot(9_000))).toEqual([]);
    expect(watch.onSnapshot(snapshot(10_240, 'a'))).toEqual([used]);
  });

  it('tells that all loans are repaid, not that some are', () => {
    const watch = new NoticeWatch();
    watch.onSnapshot(snapshot(500));
    expect(watch.onSnapshot(snapshot(100))).toEqual([]);
    expect(watch.onSnapshot(snapshot(0))).toEqual([{ kind: 'loans-repaid' }]);
    expect(watch.onSnapshot(snapshot(0))).toEqual([]);
  });

  it('tells of an import, also of what was only offered before, and of nothing that was fetched', () => {
    const watch = new NoticeWatch();
    watch.onContents([content('old'), content('offered', { origin: 'offered' })]);
    const told = watch.onContents([
      content('old'),
      content('offered'),
      content('new'),
      content('fetched', { origin: 'fetched' }),
    ]);
    expect(told.map((notice) => 'contentId' in notice && notice.contentId)).toEqual(['offered', 'new']);
  });

  it('tells of the end of somebody else’s broadcast only', () => {
    const watch = new NoticeWatch();
    watch.onContents([content('theirs', live(false)), content('mine', live(false, true))]);
    const ended = [
      content('theirs', live(true)),
      content('mine', live(true, true)),
      content('late', live(true)),
    ];
    expect(watch.onContents(ended)).toEqual([
      { kind: 'broadcast-ended', contentId: 'theirs', name: 'theirs' },
    ]);
    expect(watch.onContents(ended)).toEqual([]);
  });
});

describe('a notice', () => {
  it('leads to where something can be done', () => {
    expect(noticeTarget({ kind: 'credit-used-up', contentId: 'a', name: '' }).view).toBe('credit');
    expect(noticeTarget({ kind: 'broadcast-ended', contentId: 'a', name: '' })).toEqual({
      view: 'watch',
      link: null,
      contentId: 'a',
    });
  });

  it('says a stranger’s name on one short line, in both languages', () => {
    const name = `evil\n\u202e${'x'.repeat(500)}`;
    for (const language of ['en', 'ru'] as const) {
      for (const kind of ['credit-used-up', 'import-finished', 'broadcast-ended'] as const) {
        const { title, body } = shellWords(language).notice({ kind, contentId: 'a', name });
        expect(title).not.toBe('');
        expect(body).not.toMatch(/\p{C}/u);
        expect(body.length).toBeLessThan(160);
      }
    }
  });
});
