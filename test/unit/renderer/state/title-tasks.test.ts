import { describe, expect, it } from 'vitest';
import { suitedTo, type TitleTask, TitleTasks } from '../../../../renderer/state/title-tasks.svelte.ts';
import type { ContentView } from '../../../../shared/rpc/content.ts';
import type { Procedure } from '../../../../shared/rpc/rpc.ts';
import { TestNode } from './test-node.ts';

const titleOf = (contentId: string, other: Partial<ContentView> = {}) =>
  ({
    contentId,
    name: `${contentId}.mp4`,
    paused: false,
    pinned: false,
    sourcePath: null,
    ...other,
  }) as ContentView;
const [A, B, C] = [titleOf('a'), titleOf('b'), titleOf('c')];

function world(playing: string | null = null) {
  const node = new TestNode();
  return { node, tasks: new TitleTasks(node.client, () => playing) };
}

/** Answers the calls of a procedure as they come; those of `refused` fail. */
async function answerAll(node: TestNode, procedure: Procedure, count: number, refused: string[] = []) {
  for (let i = 0; i < count; i++) {
    await expect.poll(() => node.of(procedure).length).toBeGreaterThan(i);
    const { contentId } = node.inputs(procedure)[i] as { contentId: string };
    if (refused.includes(contentId)) node.refuse(procedure, 'ContentUnknown', {}, i);
    else node.answer(procedure, {}, i);
  }
}

describe('TitleTasks', () => {
  it.each<[TitleTask, Procedure, object]>([
    ['pause', 'pauseContent', { contentId: 'a', paused: true }],
    ['pin', 'pinContent', { contentId: 'a', pinned: true }],
    ['remove', 'deleteContent', { contentId: 'a' }],
  ])('does “%s” with each', async (task, procedure, input) => {
    const { node, tasks } = world();
    const running = tasks.run(task, [A, B, C]);
    expect(tasks.progress).toEqual({ task, done: 0, total: 3 });
    await answerAll(node, procedure, 3);
    await running;
    expect(node.inputs(procedure)[0]).toEqual(input);
    expect(tasks).toMatchObject({ progress: null, outcome: { task, done: 3, failed: [] } });
  });

  it('does the opposite with those that are paused or kept', async () => {
    const { node, tasks } = world();
    const kept = titleOf('k', { paused: true, pinned: true });
    const resumed = tasks.run('resume', [A, kept]);
    await answerAll(node, 'pauseContent', 1);
    await resumed;
    const unpinned = tasks.run('unpin', [A, kept]);
    await answerAll(node, 'pinContent', 1);
    await unpinned;
    expect(node.inputs('pauseContent')).toEqual([{ contentId: 'k', paused: false }]);
    expect(node.inputs('pinContent')).toEqual([{ contentId: 'k', pinned: false }]);
  });

  it('leaves out those to which it makes no difference', () => {
    const own = titleOf('own', { sourcePath: '/film.mp4' });
    const kept = titleOf('k', { paused: true, pinned: true });
    const suited = (task: TitleTask) => suitedTo(task, [A, own, kept]).map(({ contentId }) => contentId);
    expect(suited('pause')).toEqual(['a', 'own']);
    expect(suited('resume')).toEqual(['k']);
    expect(suited('pin')).toEqual(['a']);
    expect(suited('unpin')).toEqual(['k']);
    expect(suited('remove')).toEqual(['a', 'own', 'k']);
  });

  it('names what fails, and does the rest', async () => {
    const { node, tasks } = world();
    const running = tasks.run('remove', [A, B, C]);
    await answerAll(node, 'deleteContent', 3, ['b']);
    await running;
    expect(tasks.outcome?.done).toBe(2);
    expect(tasks.outcome?.failed.map(({ name }) => name)).toEqual(['b.mp4']);
    expect(tasks.outcome?.failed[0]?.words.what).not.toBe('');
    tasks.clear();
    expect(tasks.outcome).toBeNull();
  });

  it('does not remove what plays here', async () => {
    const { node, tasks } = world('b');
    const running = tasks.run('remove', [A, B]);
    await answerAll(node, 'deleteContent', 1);
    await running;
    expect(node.inputs('deleteContent')).toEqual([{ contentId: 'a' }]);
    expect(tasks.outcome?.failed.map(({ name }) => name)).toEqual(['b.mp4']);
  });

  it('asks for nothing more once the node is gone, and names what was left', async () => {
    const { node, tasks } = world();
    const many = Array.from({ length: 50 }, (_, i) => titleOf(`t${i}`));
    const running = tasks.run('pause', many);
    await expect.poll(() => node.of('pauseContent').length).toBe(4);
    for (let i = 0; i < 4; i++) node.refuse('pauseContent', 'NodeNotRunning', {}, i);
    await running;
    expect(node.of('pauseContent')).toHaveLength(4);
    expect(tasks.outcome).toMatchObject({ done: 0 });
    expect(tasks.outcome?.failed).toHaveLength(50);
  });

  it('does one thing at a time', async () => {
    const { node, tasks } = world();
    const running = tasks.run('pause', [A]);
    await tasks.run('remove', [A]);
    expect(node.of('deleteContent')).toEqual([]);
    await answerAll(node, 'pauseContent', 1);
    await running;
    expect(tasks.outcome?.task).toBe('pause');
  });
});
