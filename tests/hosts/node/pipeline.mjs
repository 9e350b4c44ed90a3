// A client of the Azure SDK, reduced to its pipeline with the policy that requests tokens from a
// credential.
import assert from "node:assert/strict";

import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createEmptyPipeline,
  createPipelineRequest,
} from "@azure/core-rest-pipeline";
import { SharedTokenCacheCredential } from "./examples/node/index.js";

import { scene } from "./scene.mjs";

function client() {
  const credential = new SharedTokenCacheCredential({ authorityHost: scene.authority });
  const pipeline = createEmptyPipeline();
  pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes: scene.scopes }));
  return async (path) => {
    const request = createPipelineRequest({ url: `https://${scene.authority}${path}` });
    const { status } = await pipeline.sendRequest(createDefaultHttpClient(), request);
    assert.equal(status, 200, path);
  };
}

const get = client();
await get("/first");
await get("/cached-by-the-policy");
// Another client, as in another program: it reads the token from the file.
const other = client();
await other("/cached-in-the-file");
// The server answers every token without the claims with a challenge.
await other("/challenged");
