// The types in the example's JSDoc match those of the Azure SDK and the contract.
import type { TokenCredential } from "@azure/core-auth";

import { cacheFile } from "./examples/node/cache-file.js";
import type * as CacheFile from "./examples/node/component/interfaces/azure-identity-shared-token-cache-cache-file.js";
import { SharedTokenCacheCredential } from "./examples/node/index.js";

export const credential: TokenCredential = new SharedTokenCacheCredential({ username: "user0@contoso.com" });

export const imports: typeof CacheFile = cacheFile(new Map([["msal.cache.nocae", "/tmp/none"]]), true, () => {});

// @ts-expect-error: there is no such option.
new SharedTokenCacheCredential({ user: "user0@contoso.com" });
