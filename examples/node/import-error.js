/** An error of an import: a case of the contract's variant. jco reads it from `payload`. */
export class ImportError extends Error {
  /**
   * @param {string} tag
   * @param {string | { line: number, column: number }} [val]
   */
  constructor(tag, val) {
    super(typeof val === "string" ? val : tag);
    this.payload = { tag, val };
  }
}
