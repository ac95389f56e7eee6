import { describe, expect, it } from 'vitest';
import { trafficUnits } from '../../../../main/cli/option-values.ts';
import { refusalLine } from '../../../../main/cli/refusal.ts';

describe('an amount of traffic on the command line', () => {
  const read = trafficUnits(10_240);

  it.each([
    ['1', 1],
    ['10240', 10_240],
    ['2GB', 2_048],
    ['1.5 GiB', 1_536],
    ['500 MiB', 500],
    // What is begun of a MiB counts as one.
    ['1025KiB', 2],
  ])('takes %s', (text, units) => {
    expect(read(text)).toBe(units);
  });

  it.each(['', '0', '-3', '1.5', 'GB', '11GB', '0MiB', '2MiB/s', '2 XAC'])('refuses %j', (text) => {
    expect(() => read(text)).toThrow('Give a whole number from 1 to 10240, or a size such as 2GB.');
  });
});

describe('the line that says what is wrong with a command', () => {
  it.each([
    [
      "error: command-argument value 'it's' is invalid for argument 'minutes'. Give a number.",
      "minutes cannot be 'it's'. Give a number.",
    ],
    [
      "error: option '-l, --limit <count>' argument 'x' is invalid. Give a number.",
      "--limit cannot be 'x'. Give a number.",
    ],
    [
      "error: unknown command 'strat'\n(Did you mean start?)",
      "unknown command 'strat' (Did you mean start?)",
    ],
    [
      "error: too many arguments for 'status'. Expected 0 arguments but got 1: foo.",
      "there is no 'foo' here",
    ],
  ])('%s', (said, line) => {
    expect(refusalLine(said)).toBe(line);
  });
});
