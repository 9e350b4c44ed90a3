import { homedir, platform } from "node:os";
import { resolve } from "node:path";

import { agentSession } from "./agent-session.js";
import words from "./words.js";

/**
 * @typedef {object} Options
 * @property {"shared" | "azure-cli"} [source] Whose cache: that of Microsoft's developer tools (default), or the Azure CLI's.
 * @property {string} [cacheName] Name of the shared cache. Default: `msal.cache`.
 * @property {string} [authorityHost] Default: `AZURE_AUTHORITY_HOST`, else `login.microsoftonline.com`.
 * @property {string[]} [authorities] Hosts that may be asked for tokens. Default: `authorityHost` alone.
 * @property {string} [username] Username of the account, compared ignoring case.
 * @property {string} [tenantId] Home tenant of the account.
 * @property {string} [clientId] Default: the Azure CLI's public client.
 * @property {string} [authenticationRecord] The account, as the JSON text of an `AuthenticationRecord`.
 * @property {string[]} [additionallyAllowedTenants] Tenants that a call may name besides `tenantId`; `*` for any.
 * @property {boolean} [enableGuestTenantAuthentication] Request tokens from `tenantId`, as a guest there.
 * @property {(level: "debug" | "info" | "warn", message: string) => void} [log] Default: warnings are process warnings.
 *
 * @typedef {ReturnType<typeof grants>} Grants
 */

/**
 * The options' grants. The component gets nothing else.
 *
 * @param {Options} options
 */
export function grants(options) {
  const { source = "shared", cacheName = words.cache.default_name } = options;
  const authority = host(options.authorityHost || process.env.AZURE_AUTHORITY_HOST || words.default_host);
  const session = agentSession();
  return {
    session,
    files: files(source, cacheName),
    // On other platforms the caches are encrypted, which only the Rust host supports.
    supported: platform() === "linux" || (platform() === "darwin" && source === "azure-cli"),
    authorities: (options.authorities ?? [authority]).map(host),
    settings: {
      defaultAuthorityHost: authority,
      disableMultitenantAuthentication: Boolean(process.env.AZURE_IDENTITY_DISABLE_MULTITENANTAUTH),
      agentSessionKey: session?.cacheKey,
    },
    credential: {
      username: options.username,
      authority,
      tenantId: options.tenantId,
      clientId: options.clientId,
      authenticationRecord: options.authenticationRecord,
      // The caller permits plain files by making this credential, which reads no others.
      cachePersistenceOptions: { name: cacheName, allowUnencryptedStorage: true },
      additionallyAllowedTenants: options.additionallyAllowedTenants ?? [],
      enableGuestTenantAuthentication: options.enableGuestTenantAuthentication ?? false,
    },
  };
}

/**
 * The granted files, by the component's names for them.
 *
 * @param {string} source
 * @param {string} cacheName
 */
function files(source, cacheName) {
  const { cae, nocae } = words.cache.suffixes;
  const names = [nocae, cae].map((suffix) => cacheName + suffix);
  switch (source) {
    case "shared":
      // A name is not a path.
      if (!/^[\w-][\w.-]*$/.test(cacheName)) throw new TypeError(`${JSON.stringify(cacheName)} is not the name of a cache`);
      return new Map(names.map((name) => [name, resolve(homedir(), ".IdentityService", name)]));
    case "azure-cli": {
      const folder = process.env.AZURE_CONFIG_DIR || resolve(homedir(), ".azure");
      return new Map(names.map((name) => [name, resolve(folder, "msal_token_cache.json")]));
    }
    default:
      throw new TypeError(`${JSON.stringify(source)} is not a source; "shared" and "azure-cli" are`);
  }
}

/**
 * A host in lower case, with its port unless that is 443.
 *
 * @param {string} text a host, or the `https` URL of one
 */
function host(text) {
  const url = new URL(text.includes("://") ? text : `https://${text}`);
  const isHost = url.href === `https://${url.host}/` && /^[a-z0-9][a-z0-9.-]*[a-z0-9](:\d+)?$/.test(url.host);
  if (!isHost) throw new TypeError(`${JSON.stringify(text)} is not the host of an authority`);
  return url.host;
}
