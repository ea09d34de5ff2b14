/** A service that is well. When it is not, the answer is the problem `not-ready` with the same details as `facts`. */
export class HealthView {
  /**
   * Always `ok`: when it is not, the answer is a problem.
   * @example "ok"
   */
  status: string;

  /**
   * Each part that was asked, with its state.
   * @example { "catalog": { "status": "up", "kind": "sqlite" } }
   */
  details: Record<string, unknown>;
}
