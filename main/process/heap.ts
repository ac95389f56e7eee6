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
// Buffers that died young are freed by collecting the young generation alone, which costs a fraction of marking the heap.
// By itself V8 waits until that is nearly full, and the small objects of a stream do not fill it before the buffers have
// filled the heap's room to grow.
setFlagsFromString('--minor-gc-task-trigger=5');
