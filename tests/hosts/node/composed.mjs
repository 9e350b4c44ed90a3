// The component with its imports on WASI, on preview2-shim.
import { readFile } from "node:fs/promises";

import { http } from "@bytecodealliance/preview2-shim";
import { WASIShim } from "@bytecodealliance/preview2-shim/instantiation";

import { instantiate } from "./composed/shared-token-cache-wasi.js";
import { answer, scene } from "./scene.mjs";

const { authority, granted, home } = scene;
const guestHome = "/home/user0";

const shim = new WASIShim({
  sandbox: {
    preopens: granted.storage ? { [guestHome]: home } : {},
    env: { AZURE_AUTHORITY_HOST: authority, ...(granted.home_variable ? { HOME: guestHome } : {}) },
    args: [],
  },
  http: { ...http, outgoingHandler: { handle: granted.network ? onlyTo(authority) : onlyTo() } },
});

// The shim's own `enableNetwork: false` throws a value that is not an error code of wasi:http, on
// which the component traps.
function onlyTo(...authorities) {
  return (request, options) => {
    if (!authorities.includes(request.authority())) throw { tag: "HTTP-request-denied" };
    return http.outgoingHandler.handle(request, options);
  };
}

const { tokens } = await instantiate(
  async (path) => WebAssembly.compile(await readFile(new URL(`./composed/${path}`, import.meta.url))),
  shim.getImportObject(),
);

try {
  answer(outcome());
} catch (error) {
  if (error.payload === undefined) throw error;
  const { tag, val } = error.payload;
  const { reason, message = val, candidates = [] } = val;
  answer({ error: { kind: tag, reason, message, candidates: candidates.map((account) => account.username) } });
}

function outcome() {
  if (scene.operation === "supported") return { supported: tokens.supported() };
  const { token, expiresOn } = tokens.getToken(scene.scopes);
  return { token, expires_on: Number(expiresOn) };
}
