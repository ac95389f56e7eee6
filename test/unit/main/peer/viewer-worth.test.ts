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
  const comes = viewerWorth({ store: { settlements } as never, standing, ownAccount: OWN });
  const of = (device: Uint8Array) => {
    const { usedAtMs, ...known } = standing.of(peerIdOf(device));
    return { ...known, device, isUsed: usedAtMs !== null };
  };
  /** The device that comes, and what is known of it then. */
  const greet = (account: string, device = createDevice().publicKey, hasPaid = false) => {
    comes({ account, device }, hasPaid);
    return of(device);
  };
  const pay = (account: string, device = createDevice().publicKey) => greet(account, device, true);
  return Object.assign(greet, { of, pay });
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

// A new device of such a family was a stranger until the provider started anew, before.
it('a device that pays is known instead of the one that was here least lately, and no greeting pushes out any', () => {
  const greet = worthOf(1_000_000);
  const { of, pay } = greet;
  const known = Array.from({ length: KNOWN_DEVICES_OF_VIEWER }, () => greet(VIEWER));
  const [first, second] = known.map(({ device }) => device) as [Uint8Array, Uint8Array];
  greet(VIEWER, first);
  expect(greet(VIEWER)).toMatchObject({ paidUnits: 0, isUsed: false });
  const fresh = pay(VIEWER);
  expect(fresh).toMatchObject({ account: VIEWER, paidUnits: 1_000_000, isUsed: true });
  expect(of(second)).toMatchObject({ paidUnits: 0, isUsed: false });
  expect(of(first)).toMatchObject({ paidUnits: 1_000_000, isUsed: true });
  // However many come, no more than a family's are known at once.
  const crowd = Array.from({ length: 3 * KNOWN_DEVICES_OF_VIEWER }, () => pay(VIEWER));
  const all = [...known, fresh, ...crowd].filter(({ device }) => of(device).isUsed);
  expect(all).toHaveLength(KNOWN_DEVICES_OF_VIEWER);
});

it('an account that paid nothing makes no room for what it pays on credit', () => {
  expect(worthOf(0).pay(VIEWER)).toMatchObject({ paidUnits: 0, isUsed: false });
});

it('a device that another account makes known stays so when this one’s is full', () => {
  const other = `0x${'3'.repeat(40)}`;
  const greet = worthOf(1);
  const { of, pay } = greet;
  const { device } = greet(VIEWER);
  greet(other, device);
  pay(VIEWER);
  expect(of(device)).toMatchObject({ account: other, paidUnits: 1, isUsed: true });
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
