// Several credentials that write the same file concurrently lose no entry.
import { SharedTokenCacheCredential } from "./examples/node/index.js";

import { scene } from "./scene.mjs";

const tokens = scene.scopes.map(async (scope) => {
  const credential = new SharedTokenCacheCredential({ authorityHost: scene.authority });
  await credential.getToken(scope);
  await credential.close();
});
await Promise.all(tokens);
