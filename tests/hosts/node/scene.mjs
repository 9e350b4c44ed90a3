import { readFileSync } from "node:fs";

/** The scene that the test wants to see. */
export const scene = JSON.parse(readFileSync(0, "utf8"));

/** Tells the test what came of it. */
export function answer(outcome) {
  console.log(JSON.stringify(outcome));
}
