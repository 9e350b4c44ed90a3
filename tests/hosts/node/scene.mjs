import { readFileSync } from "node:fs";

/** The scene, as JSON from the test. */
export const scene = JSON.parse(readFileSync(0, "utf8"));

/** Prints the outcome for the test. */
export function answer(outcome) {
  console.log(JSON.stringify(outcome));
}
