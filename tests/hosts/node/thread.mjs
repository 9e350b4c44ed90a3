// The component's thread blocks; the program's event loop does not.
import assert from "node:assert/strict";

import { ComponentThread } from "./examples/node/component-thread.js";
import { grants } from "./examples/node/grants.js";
import { SharedTokenCacheCredential } from "./examples/node/index.js";
import { scene } from "./scene.mjs";

const { delay, scopes } = scene;
const options = { authorityHost: scene.authority };
const claims = '{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}';
const milliseconds = async (work) => {
  const started = performance.now();
  await work();
  return performance.now() - started;
};

// The event loop runs during the authority's response; the second call finds the first one's token
// in the cache.
const credential = new SharedTokenCacheCredential(options);
let [last, longest] = [performance.now(), 0];
const ticks = setInterval(() => {
  const now = performance.now();
  [last, longest] = [now, Math.max(longest, now - last)];
}, 10);
const time = await milliseconds(() => Promise.all([credential.getToken(scopes), credential.getToken(scopes)]));
clearInterval(ticks);
assert.ok(time > delay, `the authority answers after ${delay} ms, and the token came after ${time} ms`);
assert.ok(longest < delay / 2, `the event loop stood still for ${longest} ms`);

// An aborted call does not wait for its token.
const given = new AbortController();
setTimeout(() => given.abort(), delay / 10);
const unwanted = () => credential.getToken(scopes, { claims, abortSignal: given.signal });
assert.ok((await milliseconds(() => assert.rejects(unwanted(), { name: "AbortError" }))) < delay / 2);
await assert.rejects(unwanted(), { name: "AbortError" });

// Closing the credential ends the calls that wait for a token.
const other = new SharedTokenCacheCredential(options);
setTimeout(() => other.close(), delay / 3);
await assert.rejects(other.getToken(scopes, { claims }), { kind: "closed" });
await assert.rejects(other.getToken(scopes), { kind: "closed" });

// A trapped component is replaced.
const thread = new ComponentThread(grants(options));
await assert.rejects(thread.call("nothing of the kind"), { kind: "component" });
assert.equal(await thread.call("supported"), true);
