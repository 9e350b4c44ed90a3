import * as fs from "node:fs";

import { ImportError } from "./import-error.js";
import { sleep } from "./sleep.js";

const PATIENCE = 5000;
const PAUSE = 50;

/** The lock's owner: `<pid> <program>`, as with MSAL's libraries. */
const PROGRAM = "shared-token-cache-node";

/** The time limit for acquiring a lock, which is held while one file is written. */
const STALE_AFTER = 60_000;

/**
 * Runs `work` under the lock file that writers of a cache share: `<cache file>.lockfile`, created
 * exclusively and removed.
 *
 * Node.js has no advisory locks. So a writer that locks the file without checking its existence
 * (MSAL.NET, portalocker) is not excluded, only detected by the version; and a lock left by a crash
 * is removed only if a program with this format wrote its owner.
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
    // Other writers wait for an unsigned lock file as well.
  }
}

/**
 * @param {string} lockfile
 * @param {number} lock
 */
function release(lockfile, lock) {
  try {
    // The lock file may now belong to another program, whose wait for this lock timed out.
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
    // Its owner removed it, or this user can't read it: poll.
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
