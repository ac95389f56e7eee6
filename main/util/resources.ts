/**
 * Opens what belongs together: `open` adds each thing that it opened to the stack, and when it fails half-way they are
 * closed again, last opened first. What went wrong first is what is thrown.
 */
export async function openResources<T>(open: (resources: AsyncDisposableStack) => Promise<T>): Promise<T> {
  const resources = new AsyncDisposableStack();
  try {
    return await open(resources);
  } catch (error) {
    await resources.disposeAsync().catch(() => undefined);
    throw error;
  }
}
