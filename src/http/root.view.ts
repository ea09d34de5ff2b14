/** What answers at this address. */
export class RootView {
  /** @example "backstop" */
  name: string;

  /** @example "0.1.0" */
  version: string;

  /**
   * Where the documentation of the API is.
   * @example "/docs"
   */
  docs: string;
}
