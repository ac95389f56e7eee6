import { describe, expect, it } from 'vitest';
import { PlayerState } from '../../../../renderer/state/player.svelte.ts';
import { TestNode } from './test-node.ts';

const started = (contentId: string) => ({
  content: { contentId, sizeBytes: 3_600 } as never,
  playbackUrl: `http://127.0.0.1:1/content/${contentId}`,
});

function aPlayer() {
  const node = new TestNode();
  return { node, player: new PlayerState(node.client) };
}

describe('PlayerState', () => {
  it('is starting until the node answers, then plays', async () => {
    const { node, player } = aPlayer();
    const playing = player.play('a');
    expect(player.starting).toBe('a');
    node.answer('play', started('a'));
    await playing;
    expect(player).toMatchObject({ starting: null, error: null, content: { contentId: 'a' } });
    expect(player.playbackUrl).toContain('/content/a');
  });

  it('plays what was asked for last, whichever answer comes last', async () => {
    const { node, player } = aPlayer();
    const [first, second] = [player.play('a'), player.play('b')];
    node.answer('play', started('b'), 1);
    await second;
    node.answer('play', started('a'), 0);
    await first;
    expect(player.content?.contentId).toBe('b');
  });

  it('says why a title does not start, until that is cleared', async () => {
    const { node, player } = aPlayer();
    const playing = player.play('a');
    node.refuse('play', 'NoProviders');
    await playing;
    expect(player).toMatchObject({ starting: null, content: null });
    expect(player.error).not.toBeNull();
    player.clearError();
    expect(player.error).toBeNull();
  });

  it('learns the tracks of what plays, and of nothing that was stopped', async () => {
    const { node, player } = aPlayer();
    const playing = player.play('a');
    node.answer('play', started('a'));
    await playing;
    const stopping = player.stop();
    node.answer('tracks', { tracks: [{ kind: 'video' }] as never });
    node.answer('stop', { stopped: true });
    await stopping;
    expect(player).toMatchObject({ tracks: null, content: null, playbackUrl: null });
    expect(node.inputs('stop')).toEqual([{ contentId: 'a' }]);
  });

  it('says when it could not be stopped', async () => {
    const { node, player } = aPlayer();
    const playing = player.play('a');
    node.answer('play', started('a'));
    await playing;
    const stopping = player.stop();
    node.refuse('stop', 'Internal');
    await stopping;
    expect(player.error).not.toBeNull();
  });

  it('knows the bytes of an hour once the length is known', async () => {
    const { node, player } = aPlayer();
    const playing = player.play('a');
    node.answer('play', started('a'));
    await playing;
    expect(player.bytesPerHour).toBeNull();
    player.durationSeconds = 1_800;
    expect(player.bytesPerHour).toBe(7_200);
  });
});
