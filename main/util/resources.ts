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

/** Closes everything, last opened first. @throws the error that came first, after all the others were closed */
export async function closeResources(resources: AsyncDisposableStack): Promise<void> {
  try {
    await resources.disposeAsync();
  } catch (error) {
    let first: unknown = error;
    while (first instanceof SuppressedError) first = first.suppressed;
    throw first;
  }
}
