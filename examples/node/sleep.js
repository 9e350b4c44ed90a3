const NEVER = new Int32Array(new SharedArrayBuffer(4));

/**
 * Blocks the component's thread; imports are synchronous.
 *
 * @param {number} milliseconds
 */
export function sleep(milliseconds) {
  Atomics.wait(NEVER, 0, 0, milliseconds);
}
