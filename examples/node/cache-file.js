import { isUtf8 } from "node:buffer";

import { look, readWhole, replace, version } from "./file.js";
import { ImportError } from "./import-error.js";
import { withLock } from "./lock.js";
import { sleep } from "./sleep.js";

/** @import { ReadOutcome } from "./component/interfaces/azure-identity-shared-token-cache-cache-file.js" */

/** How long a writer that truncates the file first may take to write it. */
const TORN_READ_PATIENCE = 1000;
const TORN_READ_PAUSE = 20;

/**
 * The import `cache-file`, on files.
 *
 * @param {Map<string, string>} files the granted files, by the names of their documents
 * @param {boolean} supported
 * @param {(message: string) => void} warn
 */
export function cacheFile(files, supported, warn) {
  /** @param {string} name */
  function pathOf(name) {
    const path = files.get(name);
    if (path === undefined) throw new ImportError("denied", `the cache ${JSON.stringify(name)} is not granted`);
    return path;
  }

  return {
    /**
     * @param {string} name
     * @param {string} [knownVersion]
     * @returns {ReadOutcome}
     */
    read(name, knownVersion) {
      const path = pathOf(name);
      const found = orFail(path, "not-found", () => readPatiently(path, knownVersion, warn));
      if (!found) return { tag: "unchanged" };
      const { version, content } = found;
      if (!isUtf8(content)) throw new ImportError("not-utf8", placeOf(content));
      return { tag: "document", val: { version, content: content.toString(), unencrypted: `in the file ${path}` } };
    },

    /**
     * @param {string} name
     * @param {string} expectedVersion
     * @param {string} document
     */
    replace(name, expectedVersion, document) {
      const path = pathOf(name);
      return orFail(path, "conflict", () => {
        // The check before the lock saves a useless wait for it.
        expect(path, expectedVersion);
        return withLock(path, () => {
          expect(path, expectedVersion);
          return replace(path, document);
        });
      });
    },

    supported: () => supported,
  };
}

/**
 * The document, or nothing if it is still at the known version. A document that stays truncated is
 * returned, and the component reports it as damaged.
 *
 * @param {string} path
 * @param {string | undefined} knownVersion
 * @param {(message: string) => void} warn
 */
function readPatiently(path, knownVersion, warn) {
  for (const deadline = Date.now() + TORN_READ_PATIENCE; ; sleep(TORN_READ_PAUSE)) {
    const found = readWhole(path, knownVersion, warn);
    if (!found?.torn) return found;
    if (Date.now() < deadline) continue;
    if (found.content.length > 0) return found;
    throw new ImportError("failed", `${path} is empty: the sign-in may be in a keyring, which is not read here`);
  }
}

/**
 * Where the text ceases to be UTF-8: line and column, from 1.
 *
 * @param {Buffer} content
 */
function placeOf(content) {
  let [line, start] = [1, 0];
  for (;;) {
    const end = content.indexOf("\n", start) + 1;
    if (end === 0 || !isUtf8(content.subarray(start, end))) break;
    [line, start] = [line + 1, end];
  }
  let at = start;
  for (const character of content.subarray(start).toString()) {
    const written = Buffer.from(character);
    // In the place of what is not UTF-8 there is U+FFFD.
    if (!content.subarray(at, at + written.length).equals(written)) break;
    at += written.length;
  }
  return { line, column: at - start + 1 };
}

/**
 * @param {string} path
 * @param {string} expectedVersion
 */
function expect(path, expectedVersion) {
  if (version(look(path)) !== expectedVersion) throw new ImportError("conflict");
}

/**
 * Runs `work`, and maps the file system's errors to the contract's.
 *
 * @template T
 * @param {string} path
 * @param {"not-found" | "conflict"} missing the meaning of a missing file
 * @param {() => T} work
 */
function orFail(path, missing, work) {
  try {
    return work();
  } catch (/** @type {any} */ error) {
    switch (error.code) {
      case undefined:
        throw error;
      case "ENOENT":
        throw new ImportError(missing, path);
      case "ELOOP":
        throw new ImportError("failed", `${path} is a symbolic link, which is not followed`);
      default:
        throw new ImportError("failed", `${path}: ${error.code} at ${error.syscall}`);
    }
  }
}
