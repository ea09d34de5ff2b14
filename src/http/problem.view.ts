/** One wrong field of a request. */
export class FieldProblemView {
  /**
   * JSON pointer to the field.
   * @example "/port"
   */
  pointer: string;

  /**
   * What is wrong with it, in words that go on after its name.
   * @example "must be a number"
   */
  detail: string;
}

/** An error, as RFC 9457 has it. */
export class ProblemView {
  /**
   * Page that explains the problem and what to do, relative to the service.
   * @example "/docs/problems/invalid-request"
   */
  type: string;

  /**
   * Short name for people, the same for every problem of this code.
   * @example "The request is not acceptable"
   */
  title: string;

  /**
   * HTTP status.
   * @example 400
   */
  status: number;

  /**
   * What happened this time, to what, and what to do.
   * @example "/port must be a number"
   */
  detail: string;

  /**
   * Path of the request.
   * @example "/backups"
   */
  instance: string;

  /**
   * Stable word for programs.
   * @example "invalid-request"
   */
  code: string;

  /**
   * The id under which the log has this request; also in the header `X-Request-Id`.
   * @example "019aa5b0-3c1e-7d43-9a51-6f3f0b1c2d3e"
   */
  request_id: string;

  /** Whether the same request may succeed later without anybody changing anything. */
  retryable: boolean;

  /**
   * Details for programs: ids, names, versions.
   * @example { "backup_id": "019aa3f0-1111-7000-8000-000000000001", "status": "running" }
   */
  facts?: Record<string, unknown>;

  /** The wrong fields of the request. */
  errors?: FieldProblemView[];
}
