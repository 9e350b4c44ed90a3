const NEVER = new Int32Array(new SharedArrayBuffer(4));

/**
 * Waits. For the component's thread only: imports are synchronous.
 *
 * @param {number} milliseconds
 */
export function sleep(milliseconds) {
  Atomics.wait(NEVER, 0, 0, milliseconds);
}
