import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Route } from '../../../../renderer/state/route.svelte.ts';
import { startFor, TestNode } from './test-node.ts';

beforeEach(() => {
  location.hash = '';
});

function aRoute() {
  const node = new TestNode();
  const route = new Route();
  startFor(() => route.start(node.client));
  return { node, route };
}

describe('Route', () => {
  it.each([
    ['#/settlements/12', 'settlements', '12'],
    ['#/wallet', 'wallet', null],
    ['#/settlements/a%2Fb', 'settlements', 'a/b'],
    ['#/settlements/%E0%A4%A', 'settlements', null],
    ['#/nowhere', 'watch', null],
    ['', 'watch', null],
  ])('reads %s', (hash, view, detail) => {
    location.hash = hash;
    expect(new Route()).toMatchObject({ view, detail });
  });

  it('follows the address', async () => {
    const { route } = aRoute();
    route.navigate('#/credit');
    await vi.waitFor(() => expect(route.view).toBe('credit'));
  });

  it('shows what the shell asks for, and has its link once', async () => {
    const { node, route } = aRoute();
    node.feed('navigate', { view: 'watch', link: 'ace:abc', contentId: null });
    node.feed('navigate', { view: 'credit', link: null, contentId: null });
    await vi.waitFor(() => expect(route.view).toBe('credit'));
    expect(route.takeLink()).toBe('ace:abc');
    expect(route.takeLink()).toBeNull();
  });

  it('follows nothing once it is stopped', () => {
    const node = new TestNode();
    new Route().start(node.client)();
    node.feed('navigate', { view: 'credit', link: null, contentId: null });
    expect(location.hash).toBe('');
  });
});
