import { DomainError } from '../errors/domain-error.js';

/** The text is not a manifest, or not the one that was written. */
export class ManifestInvalidError extends DomainError {
  constructor(because: string, facts: { pointer?: string } = {}, cause?: unknown) {
    super({
      code: 'manifest-invalid',
      kind: 'unprocessable',
      detail: `The manifest cannot be used: ${because}.`,
      facts,
      cause,
    });
  }
}

/** A later Backstop wrote it, in a form that this one would misread. */
export class ManifestUnknownVersionError extends DomainError {
  constructor(found: number, known: number) {
    super({
      code: 'manifest-unknown-version',
      kind: 'unprocessable',
      detail: `The manifest has format version ${found}, and this Backstop reads ${known}. Use the Backstop that wrote it, or a later one.`,
      facts: { found, known },
    });
  }
}
