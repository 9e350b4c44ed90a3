import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { Agent, request } from "node:https";
import { setTimeout as pause } from "node:timers/promises";

import words from "./words.js";

/** The time limit of one request. */
const REQUEST_SECONDS = 30;

/** A token response has some 6 KiB. */
const LARGEST_RESPONSE_KIB = 1024;

/** The pauses before retries, in milliseconds. */
const PAUSES = [500, 1000, 2000];

/** Retryable statuses. */
const WORTH_REPEATING = [408, 429, 500, 502, 503, 504];

/** Retryable error codes. Others come from TLS or HTTP, and are permanent. */
const NO_CONNECTION = ["EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "EPIPE", "ETIMEDOUT"];

const TOKEN_ENDPOINT = /^https:\/\/([^/]+)\/[A-Za-z0-9.-]+\/oauth2\/v2\.0\/token$/;

/**
 * @typedef {{ url: string, headers: [string, string][], form: [string, string][] }} Form
 * @typedef {{ status: number, body: string }} Response
 * @typedef {{ tag: "denied" | "timeout" | "unreachable" | "bad-response", val: string }} HttpsError
 * @typedef {{ response: Response, error?: undefined } | { response?: undefined, error: HttpsError }} Outcome
 */

/** Posts forms to the token endpoints of the granted authorities, and to no other URL. */
export class Https {
  #agent = new Agent({ keepAlive: true });
  #authorities;
  /** @type {[string, string][]} */
  #session;

  /**
   * @param {string[]} authorities
   * @param {import("./agent-session.js").AgentSession} [session]
   */
  constructor(authorities, session) {
    this.#authorities = authorities;
    this.#session = session ? [[words.agent_session.parameter, session.id]] : [];
  }

  /**
   * @param {Form} form
   * @param {AbortSignal} signal
   * @returns {Promise<Outcome>}
   */
  async post(form, signal) {
    const denied = this.#whyDenied(form);
    if (denied) return { error: { tag: "denied", val: denied } };
    const marked = this.#marked(form);
    for (const time of PAUSES) {
      const outcome = await this.#attempt(marked, signal);
      if (!isWorthRepeating(outcome)) return outcome;
      await pause(time, undefined, { signal });
    }
    return await this.#attempt(marked, signal);
  }

  /**
   * A request with the agent session, which the component could leave out.
   *
   * @param {Form} form
   */
  #marked({ url, headers, form }) {
    const query = new URLSearchParams(this.#session).toString();
    return { url: query ? `${url}?${query}` : url, headers, form: [...form, ...this.#session] };
  }

  close() {
    this.#agent.destroy();
  }

  /** @param {Form} form */
  #whyDenied({ url, headers, form }) {
    const authority = TOKEN_ENDPOINT.exec(url)?.[1];
    // A URL that parsing normalizes is refused, as the checked text would differ from the requested
    // one.
    if (authority === undefined || !URL.canParse(url) || new URL(url).href !== url) {
      return "a request goes to https://<authority>/<tenant>/oauth2/v2.0/token and nowhere else";
    }
    if (!this.#authorities.includes(authority)) {
      return `the authority ${JSON.stringify(authority)} is not granted; the credential's option \`authorities\` names those that are`;
    }
    const field = headers.find(([name, value]) => !maySet(name, value));
    if (field) return `a component may not set the header field ${JSON.stringify(field[0])}`;
    const { parameter } = words.agent_session;
    return form.some(([name]) => name === parameter) ? `a component may not set the field "${parameter}"` : undefined;
  }

  /**
   * @param {Form} form
   * @param {AbortSignal} signal
   * @returns {Promise<Outcome>}
   */
  async #attempt({ url, headers, form }, signal) {
    const options = {
      method: "POST",
      agent: this.#agent,
      // Verifies even if the environment disables it.
      rejectUnauthorized: true,
      signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_SECONDS * 1000)]),
      headers: {
        ...Object.fromEntries(headers),
        accept: "application/json",
        "client-request-id": randomUUID(),
        "content-type": "application/x-www-form-urlencoded",
        "return-client-request-id": "true",
        "user-agent": "shared-token-cache-node/0.1.0",
      },
    };
    try {
      // `node:https` follows no redirects and keeps no cookies.
      const sent = request(url, options).end(new URLSearchParams(form).toString());
      const [reply] = await once(sent, "response");
      // From here on errors are reported by the reply, and the request needs an error handler.
      sent.on("error", () => {});
      return await receive(reply);
    } catch (error) {
      return { error: told(error) };
    }
  }
}

/**
 * @param {import("node:http").IncomingMessage} reply
 * @returns {Promise<Outcome>}
 */
async function receive(reply) {
  const chunks = [];
  let size = 0;
  // Leaving the loop early closes the connection.
  for await (const chunk of reply) {
    size += chunk.length;
    if (size > LARGEST_RESPONSE_KIB * 1024) {
      return { error: { tag: "bad-response", val: `the reply has more than ${LARGEST_RESPONSE_KIB} KiB` } };
    }
    chunks.push(chunk);
  }
  return { response: { status: reply.statusCode ?? 0, body: Buffer.concat(chunks).toString() } };
}

/**
 * Whether the component may set a header field.
 *
 * @param {string} name
 * @param {string} value
 */
function maySet(name, value) {
  const { allowed, longest_value } = words.headers;
  return allowed.includes(name.toLowerCase()) && value.length <= longest_value && /^[ -~]*$/.test(value);
}

/**
 * An error with this program's own text, as the original may contain the form.
 *
 * @param {any} error
 * @returns {HttpsError}
 */
function told({ name, code }) {
  if (name === "AbortError") return { tag: "timeout", val: `the authority did not answer within ${REQUEST_SECONDS} s` };
  if (NO_CONNECTION.includes(code)) return { tag: "unreachable", val: `no connection to the authority: ${code}` };
  return { tag: "bad-response", val: `no trusted TLS connection, or no HTTP: ${code}` };
}

/** @param {Outcome} outcome */
function isWorthRepeating({ response, error }) {
  return response ? WORTH_REPEATING.includes(response.status) : ["timeout", "unreachable"].includes(error.tag);
}
