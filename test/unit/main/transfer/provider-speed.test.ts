import { describe, expect, it } from 'vitest';
import { Pace } from '../../../../main/transfer/provider-speed.ts';

const piece = (askedAtMs: number, beganAtMs: number, endedAtMs: number, bytes = 1_000) => ({
  bytes,
  askedAtMs,
  beganAtMs,
  endedAtMs,
});

describe('Pace', () => {
  it('knows nothing before the first piece', () => {
    expect([new Pace().bytesPerMs, new Pace().latencyMs]).toEqual([null, null]);
  });

  it('measures speed from the beginning of an answer, and latency before it', () => {
    const pace = new Pace();
    pace.arrived(piece(0, 100, 150));
    expect([pace.bytesPerMs, pace.latencyMs]).toEqual([20, 100]);
  });

  it('measures from the piece before while several are under way, pauses included', () => {
    const pace = new Pace();
    pace.arrived(piece(0, 100, 150));
    pace.arrived(piece(0, 240, 250));
    // 10 bytes a millisecond, three tenths of the way from 20.
    expect(pace.bytesPerMs).toBeCloseTo(17);
    expect(pace.latencyMs).toBe(100);
  });

  it('follows a change, and not a single sample', () => {
    const pace = new Pace();
    pace.arrived(piece(0, 0, 10));
    for (let i = 1; i <= 20; i++) pace.arrived(piece(0, 0, 10 + i * 1_000));
    expect(pace.bytesPerMs).toBeLessThan(1.2);
    pace.arrived(piece(0, 0, 20_020));
    expect(pace.bytesPerMs).toBeLessThan(40);
  });

  it('never divides by nothing', () => {
    const pace = new Pace();
    pace.arrived(piece(5, 5, 5));
    expect(pace.bytesPerMs).toBe(1_000);
  });
});
