import { createHash } from "node:crypto";

import words from "./words.js";

const { variable, parameter, longest } = words.agent_session;

/**
 * The agent session that tokens are marked with.
 *
 * @typedef {{ id: string, cacheKey: string }} AgentSession
 */

/**
 * The session that the environment names. An invalid id is an error: without the mark a resource
 * could not tell that an agent acts.
 *
 * @returns {AgentSession | undefined}
 */
export function agentSession() {
  const id = process.env[variable];
  if (!id) return undefined;
  if (id.length > longest || !/^[!-~]+$/.test(id)) {
    throw new TypeError(`${variable}: the id of an agent session has 1 to ${longest} visible ASCII characters`);
  }
  const fields = `${parameter.length}:${parameter}${id.length}:${id}`;
  return { id, cacheKey: createHash("sha256").update(fields).digest("base64url").toLowerCase() };
}
