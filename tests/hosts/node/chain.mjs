// A chain of @azure/identity continues with the next credential when there is no sign-in, and ends
// on a refusal.
import assert from "node:assert/strict";

import { ChainedTokenCredential } from "@azure/identity";
import { SharedTokenCacheCredential } from "./examples/node/index.js";

import { scene } from "./scene.mjs";

const next = { getToken: async () => ({ token: "of the next credential", expiresOnTimestamp: Date.now() + 3_600_000 }) };
const chain = (options) =>
  new ChainedTokenCredential(new SharedTokenCacheCredential({ authorityHost: scene.authority, ...options }), next);

const unavailable = await chain({ username: "nobody@contoso.com" }).getToken(scene.scopes);
assert.equal(unavailable.token, "of the next credential");

const denied = chain({ authorities: [] }).getToken(scene.scopes);
await assert.rejects(denied, { name: "SharedTokenCacheError", kind: "denied" });

const refused = chain().getToken(scene.scopes);
await assert.rejects(refused, {
  name: "AuthenticationError",
  kind: "client-authentication",
  reason: "oauth-error",
  errorResponse: {
    error: "interaction_required",
    errorDescription: "AADSTS50076: use multi-factor authentication",
    errorCodes: [50076],
    correlationId: "00000000-0000-0000-0000-000000000001",
  },
});
