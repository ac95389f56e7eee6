import { expect, it } from 'vitest';
import { PeerStanding } from '../../../../main/p2p/peer-standing.ts';
import { KNOWN_DEVICES_OF_VIEWER } from '../../../../main/peer/limits.ts';
import { viewerWorth } from '../../../../main/peer/viewer-worth.ts';
import { createDevice } from '../../../../main/wallet/device.ts';
import { peerIdOf } from '../../../../main/wallet/device-peer-id.ts';

const OWN = `0x${'1'.repeat(40)}`;
const VIEWER = `0x${'2'.repeat(40)}`;

function worthOf(earnedUnits: number | ((account: string) => number)) {
  const standing = new PeerStanding(() => 1);
  const settlements = { earnedUnits: typeof earnedUnits === 'number' ? () => earnedUnits : earnedUnits };
  const greet = viewerWorth({ store: { settlements } as never, standing, ownAccount: OWN });
  /** The device that greets, and what is known of it then. */
  return (account: string, device = createDevice().publicKey) => {
    greet({ account, device });
    const { usedAtMs, ...known } = standing.of(peerIdOf(device));
    return { ...known, device, isUsed: usedAtMs !== null };
  };
}

it('is nothing while no settlement says that its funds paid', () => {
  expect(worthOf(0)(VIEWER)).toMatchObject({ paidUnits: 0, isUsed: false });
});

it('an account makes no more devices known than it paid units for, and those stay known', () => {
  const greet = worthOf(2);
  const first = greet(VIEWER);
  expect([first, greet(VIEWER), greet(VIEWER)]).toMatchObject([
    { paidUnits: 2, isUsed: true },
    { paidUnits: 2, isUsed: true },
    { paidUnits: 0, isUsed: false },
  ]);
  expect(greet(VIEWER, first.device)).toMatchObject({ paidUnits: 2, isUsed: true });
  expect(greet(`0x${'3'.repeat(40)}`)).toMatchObject({ paidUnits: 2 });
});

it('a rich account makes a family’s devices known', () => {
  const greet = worthOf(1_000_000);
  const known = Array.from({ length: KNOWN_DEVICES_OF_VIEWER + 5 }, () => greet(VIEWER));
  expect(known.filter(({ isUsed }) => isUsed)).toHaveLength(KNOWN_DEVICES_OF_VIEWER);
});

it('this account’s own devices are of use, and need not pay', () => {
  expect(worthOf(0)(OWN)).toMatchObject({ paidUnits: 0, isUsed: true });
});

// The device kept what the first account had paid, before: each account of one unit gave it as much again.
it('a device of several accounts is worth what the account has paid that it comes for', () => {
  const poor = `0x${'3'.repeat(40)}`;
  const greet = worthOf((account) => (account === VIEWER ? 1_000 : 1));
  const { device } = greet(VIEWER);
  expect(greet(poor, device)).toMatchObject({ account: poor, paidUnits: 1 });
  expect(greet(VIEWER, device)).toMatchObject({ account: VIEWER, paidUnits: 1_000 });
});
