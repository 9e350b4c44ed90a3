import { readFileSync } from "node:fs";

/**
 * Words of Microsoft Entra ID and of MSAL's cache.
 *
 * @type {{
 *   default_host: string,
 *   cache: { default_name: string, suffixes: { cae: string, nocae: string } },
 *   headers: { allowed: string[], longest_value: number },
 *   agent_session: { variable: string, parameter: string, longest: number },
 * }}
 */
export default JSON.parse(readFileSync(new URL("words.json", import.meta.url), "utf8"));
