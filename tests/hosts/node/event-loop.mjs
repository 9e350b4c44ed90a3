// The program goes on while the component waits for the authority.
import assert from "node:assert/strict";

import { SharedTokenCacheCredential } from "./examples/node/index.js";

import { scene } from "./scene.mjs";

const credential = new SharedTokenCacheCredential({ authorityHost: scene.authority });
let [last, longest] = [performance.now(), 0];
const ticks = setInterval(() => {
  const now = performance.now();
  [last, longest] = [now, Math.max(longest, now - last)];
}, 10);

const started = performance.now();
await credential.getToken(scene.scopes);
const time = performance.now() - started;
clearInterval(ticks);
assert.ok(time > scene.delay, `the authority answers after ${scene.delay} ms, and the token came after ${time} ms`);
assert.ok(longest < scene.delay / 2, `the event loop stood still for ${longest} ms`);

// Nobody waits any longer for a token that is no longer wanted.
const given = new AbortController();
setTimeout(() => given.abort(), scene.delay / 10);
const again = performance.now();
const claims = '{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}';
await assert.rejects(credential.getToken(scene.scopes, { claims, abortSignal: given.signal }), { name: "AbortError" });
assert.ok(performance.now() - again < scene.delay / 2, "the call was not given up");

// Nor does anybody for one that is closed.
const other = new SharedTokenCacheCredential({ authorityHost: scene.authority });
const call = other.getToken(scene.scopes, { claims });
setTimeout(() => other.close(), scene.delay / 3);
await assert.rejects(call, { kind: "closed" });
await assert.rejects(other.getToken(scene.scopes), { kind: "closed" });
