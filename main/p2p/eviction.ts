/**
 * Which connection goes when there is no room for another: the least useful. The shape is Bitcoin Core's: a few are kept
 * for each quality that costs an attacker something, and of the rest the largest network group loses one. So who wants to
 * push out everybody has to be better than the best in every quality at once.
 *
 * Where it differs: silence goes first and protects nobody, and what counts most is what was paid for.
 */
import {
  KEPT_GROUPS,
  KEPT_NEAREST,
  KEPT_OLDEST_SHARE,
  KEPT_PAYING_SHARE,
  KEPT_USED_SHARE,
  QUIET_MS,
  SPEAK_WITHIN_MS,
  USED_LATELY_MS,
} from './limits.ts';

/** One connection that somebody else opened. All moments are of one clock. */
export interface EvictionCandidate {
  readonly id: string;
  /** The network that it comes from, see `networkGroupOf`. */
  readonly group: string;
  readonly openedAtMs: number;
  /** When its last message came; `null`: none yet. */
  readonly spokeAtMs: number | null;
  /** Time of a round trip; `null` while it was not measured. */
  readonly roundTripMs: number | null;
  /** Traffic units that went for pay between this peer and this network, as far as this host knows. */
  readonly paidUnits: number;
  /** When it leased, claimed or was served last; `null`: never. */
  readonly usedAtMs: number | null;
}

/** The id of the one that goes; `null` when all are worth more than a newcomer. */
export function chooseEviction(candidates: readonly EvictionCandidate[], nowMs: number): string | null {
  const silent = candidates.filter((one) => isStranger(one, nowMs) && isSilent(one, nowMs));
  if (silent.length > 0) return longestQuiet(ofLargestGroup(silent))?.id ?? null;
  const rest = unprotected(candidates, nowMs);
  const group = ofLargestGroup(rest);
  const quiet = group.filter((one) => nowMs - lastSignMs(one) > SPEAK_WITHIN_MS);
  return (longestQuiet(quiet) ?? youngest(group))?.id ?? null;
}

/** Neither paid anything nor was of use lately. */
export function isStranger(
  { paidUnits, usedAtMs }: Pick<EvictionCandidate, 'paidUnits' | 'usedAtMs'>,
  nowMs: number,
): boolean {
  return paidUnits === 0 && !(usedAtMs !== null && nowMs - usedAtMs <= USED_LATELY_MS);
}

function isSilent({ openedAtMs, spokeAtMs }: EvictionCandidate, nowMs: number): boolean {
  return spokeAtMs === null ? nowMs - openedAtMs > SPEAK_WITHIN_MS : nowMs - spokeAtMs > QUIET_MS;
}

function unprotected(candidates: readonly EvictionCandidate[], nowMs: number): EvictionCandidate[] {
  let rest = [...candidates];
  const keep = (most: number, better: (a: EvictionCandidate, b: EvictionCandidate) => number, of = rest) => {
    const kept = new Set([...of].sort(better).slice(0, most));
    rest = rest.filter((one) => !kept.has(one));
  };
  const all = candidates.length;
  const paying = rest.filter(({ paidUnits }) => paidUnits > 0);
  keep(all * KEPT_PAYING_SHARE, (a, b) => (b.usedAtMs ?? 0) - (a.usedAtMs ?? 0), paying);
  const used = rest.filter(({ usedAtMs }) => usedAtMs !== null && nowMs - usedAtMs <= USED_LATELY_MS);
  keep(all * KEPT_USED_SHARE, (a, b) => (b.usedAtMs ?? 0) - (a.usedAtMs ?? 0), used);
  const measured = rest.filter(({ roundTripMs }) => roundTripMs !== null);
  keep(KEPT_NEAREST, (a, b) => (a.roundTripMs ?? 0) - (b.roundTripMs ?? 0), measured);
  const groups = groupsOf(rest).sort((a, b) => a.length - b.length);
  // Of one group alone none is rare.
  const rare = groups.length > 1 ? groups.slice(0, KEPT_GROUPS).flatMap((group) => oldest(group) ?? []) : [];
  keep(KEPT_GROUPS, older, rare);
  keep(Math.floor(rest.length * KEPT_OLDEST_SHARE), older);
  return rest;
}

function groupsOf(candidates: readonly EvictionCandidate[]): EvictionCandidate[][] {
  return [...Map.groupBy(candidates, ({ group }) => group).values()];
}

/** Of two that are as large, the one with the younger member: an attack is what grows now. */
function ofLargestGroup(candidates: readonly EvictionCandidate[]): EvictionCandidate[] {
  const youngestOf = (group: readonly EvictionCandidate[]) => youngest(group)?.openedAtMs ?? 0;
  const [largest] = groupsOf(candidates).sort((a, b) => b.length - a.length || youngestOf(b) - youngestOf(a));
  return largest ?? [];
}

const older = (a: EvictionCandidate, b: EvictionCandidate) => a.openedAtMs - b.openedAtMs;

function oldest(candidates: readonly EvictionCandidate[]): EvictionCandidate | undefined {
  return [...candidates].sort(older)[0];
}

function youngest(candidates: readonly EvictionCandidate[]): EvictionCandidate | undefined {
  return [...candidates].sort(older).at(-1);
}

/** When it last gave a sign: a message, or its opening. */
function lastSignMs({ openedAtMs, spokeAtMs }: EvictionCandidate): number {
  return spokeAtMs ?? openedAtMs;
}

function longestQuiet(candidates: readonly EvictionCandidate[]): EvictionCandidate | undefined {
  return [...candidates].sort((a, b) => lastSignMs(a) - lastSignMs(b))[0];
}
