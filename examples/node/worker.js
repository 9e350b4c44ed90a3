import { readFile } from "node:fs/promises";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";

import { cacheFile } from "./cache-file.js";
import { instantiate } from "./component/shared-token-cache.js";
import { ImportError } from "./import-error.js";

const { files, supported, settings, credential: options, answered } = workerData;

const { credential } = await instantiate(
  async (path) => WebAssembly.compile(await readFile(new URL(`./component/${path}`, import.meta.url))),
  {
    "azure-identity:shared-token-cache/cache-file": cacheFile(files, supported, (message) => log("warn", message)),
    "azure-identity:shared-token-cache/https": {
      postForm: (url, headers, form) => request({ url, headers, form }),
      getSettings: () => settings,
      // The program closes them with the credential.
      closeIdleConnections() {},
    },
    "azure-identity:shared-token-cache/clock": { now: () => BigInt(Math.floor(Date.now() / 1000)) },
    "azure-identity:shared-token-cache/log": { write: log },
  },
);
const { SharedTokenCacheCredential } = credential;

let made;
const methods = {
  supported: () => SharedTokenCacheCredential.supported(),
  getToken: (...parameters) => (made ??= SharedTokenCacheCredential.create(options)).getToken(...parameters),
};

parentPort.on("message", ({ method, parameters }) => {
  try {
    send("result", methods[method](...parameters));
  } catch (error) {
    // An exception that is not an error of the contract ends this thread.
    if (error.payload === undefined) throw error;
    send("error", error.payload);
  }
});

/** Blocks until the program's thread has sent the request: imports are synchronous. */
function request(form) {
  Atomics.store(answered, 0, 0);
  send("request", form);
  Atomics.wait(answered, 0, 0);
  const { message } = receiveMessageOnPort(parentPort);
  if (message.error) throw new ImportError(message.error.tag, message.error.val);
  return message.response;
}

function log(level, message) {
  send("log", { level, message });
}

function send(tag, val) {
  parentPort.postMessage({ tag, val });
}
