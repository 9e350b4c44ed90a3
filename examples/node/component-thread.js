import { on } from "node:events";
import { Worker } from "node:worker_threads";

import { SharedTokenCacheError, fromComponent } from "./error.js";
import { Https } from "./https.js";

/** How long a call may take, its requests and their repetitions included. */
const CALL_TIME = 120_000;

/** A component has no more to say than that in a call. */
const MOST_LINES = 100;
const LONGEST_LINE = 2000;

/**
 * The component in a thread of its own, which waits where the component does. The event loop of the program does not: it sends the
 * component's requests, and goes on.
 */
export class ComponentThread {
  #grants;
  #https;
  #log;
  /** @type {Worker | undefined} */
  #worker;
  /** Tells the waiting thread that its answer has been posted. */
  #answered = new Int32Array(new SharedArrayBuffer(4));
  /** @type {Promise<unknown>} */
  #last = Promise.resolve();

  /**
   * @param {ReturnType<import("./grants.js").grants>} grants
   * @param {import("./grants.js").Options["log"]} log
   */
  constructor(grants, log = warn) {
    this.#grants = grants;
    this.#https = new Https(grants.authorities);
    this.#log = log;
  }

  /**
   * Calls the component once the calls before are done, as it runs one at a time.
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
    await this.#end();
    this.#https.close();
  }

  /** @param {{ method: string, parameters: unknown[] }} call */
  async #run(call) {
    const signal = AbortSignal.timeout(CALL_TIME);
    const worker = (this.#worker ??= this.#start());
    // The program does not end while it waits for a token.
    worker.ref();
    try {
      worker.postMessage(call);
      let lines = 0;
      for await (const [{ tag, val }] of on(worker, "message", { signal, close: ["exit"] })) {
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
      throw new SharedTokenCacheError("component", { message: "the credential was closed during the call" });
    } catch (error) {
      if (error instanceof SharedTokenCacheError) throw error;
      // A component that broke, or does not end, is good for nothing more.
      await this.#end();
      if (signal.aborted) throw new SharedTokenCacheError("limit", { message: `no token within ${CALL_TIME / 1000} s` });
      throw new SharedTokenCacheError("component", { message: "the component failed" }, { cause: error });
    } finally {
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

/** @type {NonNullable<import("./grants.js").Options["log"]>} */
function warn(level, message) {
  if (level === "warn") process.emitWarning(message, "SharedTokenCacheWarning");
}
