/**
 * Sets V8's heap for a process that streams. Imported first by every entry, for it acts on what is allocated after it.
 * Why, and what it brings: docs/decisions/0006.
 */
import { setFlagsFromString } from 'node:v8';

// Buffers count against the room that the heap may grow by. With V8's own growth the whole heap is marked once for each
// 15 MiB streamed; a threefold growth makes that about 70.
setFlagsFromString('--heap-growing-percent=200');
// Short-lived buffers are freed, and their memory is used again while it is still in the processor's cache.
setFlagsFromString('--semi-space-growth-factor=1');
