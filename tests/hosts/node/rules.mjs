// The example's grants, and the destinations of its import `https`.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { cacheFile } from "./examples/node/cache-file.js";
import { Https } from "./examples/node/https.js";
import { SharedTokenCacheCredential } from "./examples/node/index.js";
import { scene } from "./scene.mjs";

for (const options of [
  { source: "keyring" },
  { cacheName: "../.azure/msal_token_cache.json" },
  { cacheName: "" },
  { authorityHost: "http://login.microsoftonline.com" },
  { authorityHost: "user@login.microsoftonline.com" },
  { authorities: ["login.microsoftonline.com/organizations"] },
  { authorities: ["*.microsoftonline.com"] },
  { authorities: ["login.microsoftonline.com."] },
]) {
  assert.throws(() => new SharedTokenCacheCredential(options), TypeError, JSON.stringify(options));
}

const { read, replace } = cacheFile(new Map([["msal.cache.nocae", "/nowhere/msal.cache.nocae"]]), true, () => {});
assert.throws(() => read("msal.cache.nocae"), { payload: { tag: "not-found", val: "/nowhere/msal.cache.nocae" } });
for (const name of ["msal.cache.cae", "/nowhere/msal.cache.nocae", "constructor", ""]) {
  const denied = (error) => error.payload?.tag === "denied";
  assert.throws(() => read(name), denied, name);
  assert.throws(() => replace(name, "version", "{}"), denied, name);
}

// What is not UTF-8 is damaged at its place.
const folder = mkdtempSync(join(tmpdir(), "rules-"));
const damaged = cacheFile(new Map([["msal.cache.nocae", join(folder, "cache")]]), true, () => {});
for (const [content, line, column] of [["ff", 1, 1], ["7b22c3a4223a0a22c3a9c3227d", 2, 4], ["7b7d0ac37d", 2, 1]]) {
  writeFileSync(join(folder, "cache"), Buffer.from(content, "hex"), { mode: 0o600 });
  assert.throws(() => damaged.read("msal.cache.nocae"), { payload: { tag: "not-utf8", val: { line, column } } }, content);
}
rmSync(folder, { recursive: true });

const { authority } = scene;
const https = new Https([authority, "login.microsoftonline.com"]);
const post = (url, headers = []) => https.post({ url, headers, form: [["grant_type", "refresh_token"]] }, AbortSignal.timeout(20_000));
const errorOf = async (...form) => (await post(...form)).error;

for (const url of [
  "http://login.microsoftonline.com/t/oauth2/v2.0/token",
  "https://login.microsoftonline.com./t/oauth2/v2.0/token",
  "https://login.microsoftonline.com:443/t/oauth2/v2.0/token",
  "https://login.microsoftonline.com:8443/t/oauth2/v2.0/token",
  "https://LOGIN.microsoftonline.com/t/oauth2/v2.0/token",
  "https://login.microsoftonline.com.evil.example/t/oauth2/v2.0/token",
  "https://login.microsoftonline.com@evil.example/t/oauth2/v2.0/token",
  "https://login.microsoftonline.com\\@evil.example/t/oauth2/v2.0/token",
  "https://evil.example/t/oauth2/v2.0/token",
  "https://login.windows.net/t/oauth2/v2.0/token",
  "https://login.microsoftonline.com/../oauth2/v2.0/token",
  "https://login.microsoftonline.com//oauth2/v2.0/token",
  "https://login.microsoftonline.com/t/x/oauth2/v2.0/token",
  "https://login.microsoftonline.com/t/oauth2/v2.0/devicecode",
  "https://login.microsoftonline.com/t/oauth2/v2.0/token?x",
  "https://login.microsoftonline.com/t/oauth2/v2.0/token#x",
  "https://login.microsoftonline.com/t%2f/oauth2/v2.0/token",
  " https://login.microsoftonline.com/t/oauth2/v2.0/token",
  "https://login.microsoftonline.com/t/oauth2/v2.0/token\n",
]) {
  assert.equal((await errorOf(url))?.tag, "denied", url);
}

const endpoint = (tenant) => `https://${authority}/${tenant}/oauth2/v2.0/token`;
for (const header of [["authorization", "x"], ["Host", "x"], ["x-client-sku", "a\r\nb: c"], ["x-client-sku", "ü"]]) {
  assert.equal((await errorOf(endpoint("header"), [header]))?.tag, "denied", header[0]);
}

// This program does not trust the test's certificate authority.
if (!scene.trusted) {
  assert.equal((await errorOf(endpoint("good")))?.tag, "bad-response");
} else {
  const good = await post(endpoint("good"), [["X-AnchorMailbox", "Oid:1@2"]]);
  assert.equal(good.response?.status, 200);
  // A redirect is returned as a response, not followed.
  assert.equal((await post(endpoint("redirect"))).response?.status, 307);
  assert.equal((await errorOf(endpoint("endless")))?.tag, "bad-response");
  // Succeeds after two retryable errors.
  assert.equal((await post(endpoint("busy"))).response?.status, 200);
}
https.close();
