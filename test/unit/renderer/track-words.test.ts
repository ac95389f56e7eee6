import { describe, expect, it } from 'vitest';
import { missingTracks, playlistUrl } from '../../../renderer/format/track-words.ts';
import type { TrackView } from '../../../shared/rpc/content.ts';

const AVC: TrackView = { kind: 'video', name: 'H.264', type: 'avc' };
const HEVC: TrackView = { kind: 'video', name: 'HEVC', type: 'hevc' };
const AAC: TrackView = { kind: 'audio', name: 'AAC', type: 'aac' };
const AC3: TrackView = { kind: 'audio', name: 'AC-3', type: 'ac3' };
const DTS: TrackView = { kind: 'audio', name: 'DTS', type: 'dts' };
const NAMELESS: TrackView = { kind: 'audio', name: null, type: null };
const plays = (type: string) => type === 'avc' || type === 'aac';

describe('missingTracks', () => {
  it.each([
    [[AVC, AC3], 'This browser plays the picture of this video but not its sound (AC-3).'],
    [[AVC, AC3, DTS, AC3], 'This browser plays the picture of this video but not its sound (AC-3, DTS).'],
    [[HEVC, AAC], 'This browser plays the sound of this video but not its picture (HEVC).'],
    [[HEVC], 'This browser does not play the picture of this video (HEVC).'],
    [[HEVC, DTS], 'This browser plays neither the picture (HEVC) nor the sound (DTS) of this video.'],
  ])('says what is left out: %#', (tracks, what) => {
    expect(missingTracks(tracks, plays)).toEqual({ what, next: 'Open it in an external player.' });
  });

  it.each([
    ['all is played', [AVC, AAC]],
    ['one of the sounds is', [AVC, AC3, AAC]],
    ['there is no sound', [AVC]],
    ['a codec has no name to ask about', [AVC, NAMELESS]],
    ['nothing is known', null],
  ])('is silent when %s', (_what, tracks) => {
    expect(missingTracks(tracks, plays)).toBeNull();
  });
});

describe('playlistUrl', () => {
  it('is beside the content', () => {
    expect(playlistUrl('http://localhost:6878/content/bafy?x=1')).toBe(
      'http://localhost:6878/content/bafy.m3u',
    );
  });

  it('of a broadcast is where those of files are', () => {
    expect(playlistUrl('http://localhost:6878/ace/manifest.m3u8?content_id=bafy')).toBe(
      'http://localhost:6878/content/bafy.m3u',
    );
  });
});
