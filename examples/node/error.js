/** Names for `@azure/identity`: its chains continue with the next credential after the first one. */
const NAMES = new Map([
  ["credential-unavailable", "CredentialUnavailableError"],
  ["client-authentication", "AuthenticationError"],
]);

/** Why there is no token. The message holds no secret. */
export class SharedTokenCacheError extends Error {
  /**
   * @param {string} kind
   * @param {{ message: string, reason?: string, candidates?: Candidate[], oauth?: OauthError }} details
   * @param {ErrorOptions} [options]
   */
  constructor(kind, { message, reason, candidates = [], oauth }, options) {
    super(message, options);
    this.name = NAMES.get(kind) ?? "SharedTokenCacheError";
    /**
     * `credential-unavailable`, `client-authentication`, `denied`, `unreachable` or `invalid-argument`, as in the contract; or
     * `limit`, `component` or `closed`.
     */
    this.kind = kind;
    /** For the first two of these kinds, such as `multiple-accounts` or `cache-corrupt`. */
    this.reason = reason;
    /** The accounts to choose from, where there are several. */
    this.candidates = candidates;
    /** The authority's error, as in an `AuthenticationError` of `@azure/identity`. */
    this.errorResponse = oauth && {
      error: oauth.code,
      errorDescription: oauth.description ?? "",
      errorCodes: Array.from(oauth.errorCodes, Number),
      correlationId: oauth.correlationId,
    };
  }
}

/**
 * The component's error.
 *
 * @param {{ tag: string, val: any }} error
 */
export function fromComponent({ tag, val }) {
  return new SharedTokenCacheError(tag, typeof val === "string" ? { message: val } : val);
}

/** @typedef {{ username: string, homeTenantId?: string }} Candidate */
/** @typedef {{ code: string, description?: string, errorCodes: Iterable<bigint>, correlationId?: string }} OauthError */
