import * as fs from "node:fs";

import { ImportError } from "./import-error.js";
import { sleep } from "./sleep.js";

const PATIENCE = 5000;
const PAUSE = 50;

/** Who holds the lock: `<pid> <program>`, as with MSAL's libraries. */
const PROGRAM = "shared-token-cache-node";

/** A lock is held while one file is written. */
const STALE_AFTER = 60_000;

/**
 * Does `work` under the lock that writers of a cache share: `<cache file>.lockfile`, created exclusively and removed.
 *
 * Node has no advisory locks. So a writer that locks the file without minding that it exists (MSAL.NET, portalocker) is not kept
 * out, only found out by the version; and a lock that a crash left behind is removed only where a program of this kind signed it.
 *
 * @template T
 * @param {string} path
 * @param {() => T} work
 */
export function withLock(path, work) {
  const lockfile = `${path}.lockfile`;
  const lock = acquire(lockfile);
  try {
    return work();
  } finally {
    release(lockfile, lock);
  }
}

/** @param {string} lockfile */
function acquire(lockfile) {
  for (const deadline = Date.now() + PATIENCE; ; sleep(PAUSE)) {
    try {
      const lock = fs.openSync(lockfile, "wx", 0o600);
      sign(lock);
      return lock;
    } catch (/** @type {any} */ error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (Date.now() >= deadline) throw new ImportError("locked");
    removeStale(lockfile);
  }
}

/** @param {number} lock */
function sign(lock) {
  try {
    fs.writeSync(lock, `${process.pid} ${PROGRAM}`);
  } catch {
    // Whoever finds the file unsigned waits for it just the same.
  }
}

/**
 * @param {string} lockfile
 * @param {number} lock
 */
function release(lockfile, lock) {
  try {
    // What is there now may be the lock of somebody who ran out of patience with this one.
    if (fs.lstatSync(lockfile, { throwIfNoEntry: false })?.ino === fs.fstatSync(lock).ino) fs.rmSync(lockfile);
  } finally {
    fs.closeSync(lock);
  }
}

/** @param {string} lockfile */
function removeStale(lockfile) {
  try {
    const status = fs.lstatSync(lockfile);
    if (!status.isFile() || Date.now() - status.mtimeMs < STALE_AFTER) return;
    const [pid, program] = fs.readFileSync(lockfile, "utf8").split(" ");
    if (program === PROGRAM && !isAlive(Number(pid))) fs.rmSync(lockfile);
  } catch {
    // Its holder was faster, or it is not ours to look at: it is waited for.
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (/** @type {any} */ error) {
    return error.code !== "ESRCH";
  }
}
