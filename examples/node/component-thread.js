import { on } from "node:events";
import { Worker } from "node:worker_threads";

import { SharedTokenCacheError, fromComponent } from "./error.js";
import { Https } from "./https.js";

/** @import { Grants, Options } from "./grants.js" */

/** The time limit of a call, its requests and their retries included. */
const CALL_SECONDS = 120;

/** The limit of log lines per call. */
const MOST_LINES = 100;
const LONGEST_LINE = 2000;

/**
 * The component in a thread of its own, which blocks during imports. The program's event loop does
 * not block: it sends the component's requests.
 */
export class ComponentThread {
  #grants;
  #https;
  #log;
  /** @type {Worker | undefined} */
  #worker;
  /** Wakes the waiting thread when its response has been posted. */
  #answered = new Int32Array(new SharedArrayBuffer(4));
  /** @type {Promise<unknown>} */
  #last = Promise.resolve();
  /** @type {AbortController | undefined} */
  #running;
  #closed = false;

  /**
   * @param {Grants} grants
   * @param {Options["log"]} log
   */
  constructor(grants, log = warn) {
    this.#grants = grants;
    this.#https = new Https(grants.authorities, grants.session);
    this.#log = log;
  }

  /**
   * Calls the component after the earlier calls, as it runs one call at a time.
   *
   * @param {"getToken" | "supported"} method
   * @param {unknown[]} parameters
   * @returns {Promise<any>}
   */
  call(method, ...parameters) {
    const result = this.#last.then(() => this.#run({ method, parameters }));
    this.#last = result.catch(() => {});
    return result;
  }

  async close() {
    this.#closed = true;
    this.#running?.abort(closed());
    await this.#end();
    this.#https.close();
  }

  /** @param {{ method: string, parameters: unknown[] }} call */
  async #run(call) {
    if (this.#closed) throw closed();
    const { signal } = (this.#running = new AbortController());
    const timer = setTimeout(() => this.#running?.abort(tooLong()), CALL_SECONDS * 1000);
    const worker = (this.#worker ??= this.#start());
    // Keeps the program running while it waits for a token.
    worker.ref();
    let lines = 0;
    try {
      worker.postMessage(call);
      for await (const [{ tag, val }] of on(worker, "message", { signal })) {
        switch (tag) {
          case "result":
            return val;
          case "error":
            throw fromComponent(val);
          case "log":
            if (++lines <= MOST_LINES) this.#log(val.level, val.message.slice(0, LONGEST_LINE).replace(/\p{Cc}/gu, " "));
            break;
          case "request":
            worker.postMessage(await this.#https.post(val, signal));
            Atomics.store(this.#answered, 0, 1);
            Atomics.notify(this.#answered, 0);
        }
      }
    } catch (error) {
      if (error instanceof SharedTokenCacheError) throw error;
      // A component that trapped or exceeded the time limit is discarded.
      await this.#end();
      throw signal.aborted ? signal.reason : broken(error);
    } finally {
      clearTimeout(timer);
      worker.unref();
    }
  }

  #start() {
    const workerData = { ...this.#grants, answered: this.#answered };
    return new Worker(new URL("./worker.js", import.meta.url), { workerData, env: {}, execArgv: [] });
  }

  async #end() {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}

function closed() {
  return new SharedTokenCacheError("closed", { message: "the credential was closed" });
}

function tooLong() {
  return new SharedTokenCacheError("limit", { message: `there was no token within ${CALL_SECONDS} s` });
}

/** @param {unknown} cause */
function broken(cause) {
  return new SharedTokenCacheError("component", { message: "the component failed" }, { cause });
}

/** @type {NonNullable<Options["log"]>} */
function warn(level, message) {
  if (level === "warn") process.emitWarning(message, "SharedTokenCacheWarning");
}
