/** The stage of a file of page tests, cleared after each of them, and what every page of it has to keep. */
import type { Page } from 'playwright-core';
import { afterEach, expect } from 'vitest';
import { axeFindings, Stage, sidewaysScroll } from './pages.ts';

/** A devnet of a test, by `useDevnet`, ends after what is on the stage. */
export function useStage(): Stage {
  const stage = new Stage();
  afterEach(() => stage.close());
  return stage;
}

/** Nothing on the page is hard to reach, and nothing of it beside the window. `where` names it when it fails. */
export async function expectAccessible(page: Page, where = page.url()): Promise<void> {
  expect(await axeFindings(page), where).toEqual([]);
  expect(await sidewaysScroll(page), `${where} is wider than the window`).toBe(false);
}
