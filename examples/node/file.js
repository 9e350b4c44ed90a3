import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";

import { ImportError } from "./import-error.js";
import { sleep } from "./sleep.js";

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;

/** Some 10,000 accounts are 55 MiB. */
const LARGEST_DOCUMENT_MIB = 512;

/** Longer than the granularity of a file system's clock, within which two writes look the same. */
const STEP = 20;

/**
 * The version: a text that identifies a state of the file.
 *
 * @param {fs.BigIntStats} status
 */
export function version({ dev, ino, size, mtimeNs, ctimeNs }) {
  return [dev, ino, size, mtimeNs, ctimeNs].join(".");
}

/**
 * The status of a cache file: a regular file of the user's own, not a symbolic link.
 *
 * @param {string} path
 */
export function look(path) {
  return withFile(path, (file) => statusOf(file, path));
}

/**
 * The file's content and version, or nothing if it is still at the known version. `torn` is set if
 * a write seems to be in progress.
 *
 * @param {string} path
 * @param {string | undefined} knownVersion
 * @param {(message: string) => void} warn
 */
export function readWhole(path, knownVersion, warn) {
  return withFile(path, (file) => {
    let status = statusOf(file, path);
    if (version(status) === knownVersion) return undefined;
    if (Date.now() - Number(status.ctimeMs) < STEP) {
      sleep(STEP);
      status = statusOf(file, path);
    }
    if (status.size > LARGEST_DOCUMENT_MIB << 20) {
      throw new ImportError("failed", `${path} has more than ${LARGEST_DOCUMENT_MIB} MiB`);
    }
    if (status.mode & 0o077n) warn(`${path} can be used by others than its owner: its mode should be 600`);
    const content = fs.readFileSync(file);
    const changed = version(statusOf(file, path)) !== version(status);
    return { version: version(status), content, torn: changed || !endsAsObject(content) };
  });
}

/**
 * Replaces the file atomically. Returns its new version.
 *
 * @param {string} path
 * @param {string} content
 */
export function replace(path, content) {
  // The Rust host finds a killed program's temporary files by this name.
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(8).toString("hex")}.tmp`);
  const file = fs.openSync(temporary, "wx", 0o600);
  try {
    fs.writeFileSync(file, content);
    fs.fsyncSync(file);
    fs.renameSync(temporary, path);
    syncFolder(dirname(path));
    // Still under the lock, so that the next write gets another version.
    sleep(STEP);
    return version(fs.fstatSync(file, { bigint: true }));
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  } finally {
    fs.closeSync(file);
  }
}

/**
 * @template T
 * @param {string} path
 * @param {(file: number) => T} work
 */
function withFile(path, work) {
  const file = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    return work(file);
  } finally {
    fs.closeSync(file);
  }
}

/**
 * @param {number} file
 * @param {string} path
 */
function statusOf(file, path) {
  const status = fs.fstatSync(file, { bigint: true });
  if (!status.isFile()) throw new ImportError("failed", `${path} is not a regular file`);
  if (Number(status.uid) !== process.getuid?.()) throw new ImportError("failed", `${path} belongs to another user`);
  return status;
}

/**
 * Whether the text ends like a JSON object. A partly written document does not, as writers write
 * from the front.
 *
 * @param {Buffer} content
 */
function endsAsObject(content) {
  return content.subarray(-16).toString("latin1").trimEnd().endsWith("}");
}

/**
 * Makes the renaming durable. Some file systems can't, which is ignored.
 *
 * @param {string} path
 */
function syncFolder(path) {
  const folder = fs.openSync(path, O_RDONLY);
  try {
    fs.fsyncSync(folder);
  } catch {
    // The file has been replaced all the same.
  } finally {
    fs.closeSync(folder);
  }
}
