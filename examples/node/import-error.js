/** What an import answers in place of a result: a case of the contract's variant. jco takes it from `payload`. */
export class ImportError extends Error {
  /**
   * @param {string} tag
   * @param {string} [val]
   */
  constructor(tag, val) {
    super(val ?? tag);
    this.payload = { tag, val };
  }
}
