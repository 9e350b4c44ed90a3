import { ComponentThread } from "./component-thread.js";
import { grants } from "./grants.js";

/**
 * @import { AccessToken, GetTokenOptions, TokenCredential } from "@azure/core-auth"
 * @import { Options } from "./grants.js"
 */

export { SharedTokenCacheError } from "./error.js";

/**
 * A credential for clients of the Azure SDK: finds the sign-in in the token cache, selects the
 * account, and returns a cached access token, or redeems a refresh token and writes the new tokens
 * back. A component in a thread of its own implements all of this.
 *
 * @implements {TokenCredential}
 */
export class SharedTokenCacheCredential {
  #component;

  /** @param {Options} [options] */
  constructor(options = {}) {
    this.#component = new ComponentThread(grants(options), options.log);
  }

  /**
   * @param {string | string[]} scopes
   * @param {GetTokenOptions} [options]
   * @returns {Promise<AccessToken>}
   */
  async getToken(scopes, { claims, tenantId, enableCae = false, abortSignal } = {}) {
    if (abortSignal?.aborted) throw aborted();
    const call = this.#component.call("getToken", [scopes].flat(), { claims, tenantId, enableCae });
    const { token, expiresOn, refreshOn, tokenType } = await unlessAborted(call, abortSignal);
    return {
      token,
      expiresOnTimestamp: milliseconds(expiresOn),
      refreshAfterTimestamp: refreshOn === undefined ? undefined : milliseconds(refreshOn),
      tokenType,
    };
  }

  /** Whether this class supports the platform's token cache. Reads nothing. */
  async supported() {
    return await this.#component.call("supported");
  }

  /** Ends the thread, its connections, and the calls that wait for a token. */
  async close() {
    await this.#component.close();
  }
}

/** @param {bigint} seconds */
function milliseconds(seconds) {
  return Number(seconds) * 1000;
}

function aborted() {
  return new DOMException("The token is no longer wanted", "AbortError");
}

/**
 * The call itself continues, as its refresh token may be redeemed already: the next call finds the
 * new tokens in the cache.
 *
 * @template T
 * @param {Promise<T>} call
 * @param {GetTokenOptions["abortSignal"]} signal
 * @returns {Promise<T>}
 */
function unlessAborted(call, signal) {
  if (!signal) return call;
  return new Promise((resolve, reject) => {
    const listener = () => reject(aborted());
    signal.addEventListener("abort", listener);
    call.then(resolve, reject).finally(() => signal.removeEventListener("abort", listener));
  });
}
