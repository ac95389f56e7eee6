/**
 * A region that scrolls must be reachable by keyboard. It takes the focus while it holds more than fits; otherwise it
 * would be a stop of the tab key with nothing to do.
 */
import type { Attachment } from 'svelte/attachments';

export const reachable: Attachment<HTMLElement> = (region) => {
  const measure = () => {
    const scrolls = region.scrollWidth > region.clientWidth || region.scrollHeight > region.clientHeight;
    if (scrolls) region.tabIndex = 0;
    else region.removeAttribute('tabindex');
  };
  const observer = new ResizeObserver(measure);
  observer.observe(region);
  for (const child of region.children) observer.observe(child);
  return () => observer.disconnect();
};
