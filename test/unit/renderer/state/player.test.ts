import { describe, expect, it } from 'vitest';
import { PlayerState } from '../../../../renderer/state/player.svelte.ts';
import { TestNode } from './test-node.ts';

const started = (contentId: string) => ({
  content: { contentId, sizeBytes: 3_600, mimeType: 'video/mp4' } as never,
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

  it('has nothing fetched of a link that leads to no video', async () => {
    const { node, player } = aPlayer();
    const playing = player.play('a');
    const { playbackUrl } = started('a');
    node.answer('play', {
      content: { name: 'a.srt', mimeType: 'application/x-subrip' } as never,
      playbackUrl,
    });
    await playing;
    expect(player).toMatchObject({ content: null, playbackUrl: null, failed: 'a' });
    expect(player.error?.next).toContain('Nothing was fetched');
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

  it('knows the units of an hour once the length is known: a MiB that was begun is a whole one', async () => {
    const { node, player } = aPlayer();
    const playing = player.play('a');
    node.answer('play', started('a'));
    await playing;
    expect(player.unitsPerHour).toBeNull();
    player.durationSeconds = 1_800;
    expect(player.unitsPerHour).toBe(2);
  });

  it('names the title that did not start, while another goes on', async () => {
    const { node, player } = aPlayer();
    const playing = player.play('a', 'First');
    node.answer('play', started('a'));
    await playing;
    const failing = player.play('b', 'Second');
    node.refuse('play', 'NoProviders');
    await failing;
    expect(player).toMatchObject({ failed: 'Second', content: { contentId: 'a' } });
    const linked = player.play('ace:bafkreiabcdefghijklmnopqrstuvwxyz');
    node.refuse('play', 'ContentUnknown');
    await linked;
    expect(player.failed).toBe('ace:bafkreiabcdefghijklm…');
    player.clearError();
    expect(player.failed).toBeNull();
  });

  it('remembers over a reload what played, and where, until it is stopped', async () => {
    sessionStorage.clear();
    const node = new TestNode();
    const player = new PlayerState(node.client, sessionStorage);
    const playing = player.play('a', 'First');
    node.answer('play', {
      ...started('a'),
      content: { contentId: 'a', name: 'First', mimeType: 'video/mp4' } as never,
    });
    await playing;
    player.noteSeconds(3);
    expect(player.last?.atSeconds).toBe(0);
    player.noteSeconds(61.5);

    const again = new PlayerState(node.client, sessionStorage);
    // Playing it costs money, so nothing begins by itself.
    expect(again).toMatchObject({ content: null, last: { contentId: 'a', name: 'First', atSeconds: 61 } });
    const goesOn = again.playLast();
    node.answer('play', started('a'));
    await goesOn;
    expect([again.takeBegin(), again.takeBegin()]).toEqual([61, 0]);
    void again.stop();
    expect(new PlayerState(node.client, sessionStorage).last).toBeNull();
  });

  it('remembers nothing that these pages did not write', () => {
    for (const text of ['', 'no json', '{"contentId":1}', '{"contentId":"a","name":"b"}', 'null']) {
      sessionStorage.setItem('ace-node-playing', text);
      expect(new PlayerState(new TestNode().client, sessionStorage).last).toBeNull();
    }
    sessionStorage.clear();
  });
});
