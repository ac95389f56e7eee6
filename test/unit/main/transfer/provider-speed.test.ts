import { describe, expect, it } from 'vitest';
import { ProviderSpeed } from '../../../../main/transfer/provider-speed.ts';

const piece = (askedAtMs: number, beganAtMs: number, endedAtMs: number, bytes = 1_000) => ({
  bytes,
  askedAtMs,
  beganAtMs,
  endedAtMs,
});

describe('Pace', () => {
  it('knows nothing before the first piece', () => {
    expect([new ProviderSpeed().bytesPerMs, new ProviderSpeed().latencyMs]).toEqual([null, null]);
  });

  it('measures speed from the beginning of an answer, and latency before it', () => {
    const speed = new ProviderSpeed();
    speed.arrived(piece(0, 100, 150));
    expect([speed.bytesPerMs, speed.latencyMs]).toEqual([20, 100]);
  });

  it('measures from the piece before while several are under way, pauses included', () => {
    const speed = new ProviderSpeed();
    speed.arrived(piece(0, 100, 150));
    speed.arrived(piece(0, 240, 250));
    // 10 bytes a millisecond, three tenths of the way from 20.
    expect(speed.bytesPerMs).toBeCloseTo(17);
    expect(speed.latencyMs).toBe(100);
  });

  it('follows a change, and not a single sample', () => {
    const speed = new ProviderSpeed();
    speed.arrived(piece(0, 0, 10));
    for (let i = 1; i <= 20; i++) speed.arrived(piece(0, 0, 10 + i * 1_000));
    expect(speed.bytesPerMs).toBeLessThan(1.2);
    speed.arrived(piece(0, 0, 20_020));
    expect(speed.bytesPerMs).toBeLessThan(40);
  });

  it('never divides by nothing', () => {
    const speed = new ProviderSpeed();
    speed.arrived(piece(5, 5, 5));
    expect(speed.bytesPerMs).toBe(1_000);
  });
});
