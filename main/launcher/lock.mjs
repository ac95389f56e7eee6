// One set-up (install or build) at a time in a checkout. The lock is a directory, because mkdir is atomic
// everywhere. Its owner touches it while it works; a lock that is not touched belongs to a dead process.
import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheDir } from './paths.mjs';
import { SetupError } from './setup-error.mjs';

const POLL_MS = 250;
const HEARTBEAT_MS = 2_000;
/** Polls without a heartbeat before the owner counts as dead. Polls, not time: a laptop may have slept. */
const STALE_POLLS = 80;

const lockDir = join(cacheDir, 'setup-lock');
const breakDir = `${lockDir}.break`;
const ownerFile = join(lockDir, 'owner');
const ownName = `${hostname()} ${process.pid}`;

/**
 * @template T
 * @param {() => Promise<T>} work
 * @param {() => void} onWait called once if another process holds the lock
 * @returns {Promise<T>}
 */
export async function withSetupLock(work, onWait) {
  await acquire(onWait);
  const heartbeat = setInterval(touch, HEARTBEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    if (readOwner() === ownName) rmSync(lockDir, { recursive: true, force: true });
  }
}

/** @param {() => void} onWait */
async function acquire(onWait) {
  let seenAtMs = 0;
  let quietPolls = 0;
  let announced = false;
  while (!tryMkdir(lockDir)) {
    const touchedAtMs = modifiedAtMs(lockDir);
    quietPolls = touchedAtMs === seenAtMs ? quietPolls + 1 : 0;
    seenAtMs = touchedAtMs;
    if (ownerIsGone() || quietPolls >= STALE_POLLS) {
      breakStaleLock(touchedAtMs);
      quietPolls = 0;
    } else {
      if (!announced) onWait();
      announced = true;
      await sleep(POLL_MS);
    }
  }
  writeFileSync(ownerFile, ownName);
}

/**
 * Removes the lock judged stale. Two waiters may judge at once: only the holder of `breakDir` removes, and
 * only if the lock is still the one it looked at, so neither removes the lock that the other just took.
 *
 * @param {number} judgedAtMs modification time of the lock that was judged
 */
function breakStaleLock(judgedAtMs) {
  if (!tryMkdir(breakDir)) {
    if (Date.now() - modifiedAtMs(breakDir) > STALE_POLLS * POLL_MS)
      rmSync(breakDir, { recursive: true, force: true });
    return;
  }
  try {
    if (modifiedAtMs(lockDir) === judgedAtMs) rmSync(lockDir, { recursive: true, force: true });
  } finally {
    rmSync(breakDir, { recursive: true, force: true });
  }
}

/** Whether the owner ran on this machine and its process is gone: no need to wait for missing heartbeats. */
function ownerIsGone() {
  const [host, pid] = readOwner().split(' ');
  if (host !== hostname() || !pid) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
}

function readOwner() {
  try {
    return readFileSync(ownerFile, 'utf8');
  } catch {
    return '';
  }
}

function touch() {
  try {
    utimesSync(lockDir, new Date(), new Date());
  } catch {
    // The lock was taken from us; the stamps written after the work are still right.
  }
}

/** @param {string} path */
function modifiedAtMs(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** @param {string} path @returns {boolean} false when it exists already */
function tryMkdir(path) {
  try {
    mkdirSync(cacheDir, { recursive: true });
    mkdirSync(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw new SetupError(`cannot write in ${cacheDir}: the checkout must be writable for the set-up`, {
      cause: error,
    });
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
