/** What answers at this address. */
export class RootView {
  /**
   * Always this word: a client can tell by it that it reached the right service.
   * @example "backstop"
   */
  name: string;

  /**
   * Version of the service that runs.
   * @example "0.1.0"
   */
  version: string;

  /**
   * Where the documentation of the API is.
   * @example "/docs"
   */
  docs: string;
}
