// The bare component behind the example's class.
import { SharedTokenCacheCredential, SharedTokenCacheError } from "./examples/node/index.js";

import { answer, scene } from "./scene.mjs";

const credential = new SharedTokenCacheCredential({
  authorityHost: scene.authority,
  authorities: scene.granted.network ? undefined : [],
  ...scene.options,
});

try {
  answer(await outcome());
} catch (error) {
  if (!(error instanceof SharedTokenCacheError)) throw error;
  const { kind, reason, message, candidates } = error;
  answer({ error: { kind, reason, message, candidates: candidates.map((account) => account.username) } });
}

async function outcome() {
  if (scene.operation === "supported") return { supported: await credential.supported() };
  const { token, expiresOnTimestamp } = await credential.getToken(scene.scopes);
  return { token, expires_on: expiresOnTimestamp / 1000 };
}
