import { Injectable } from '@nestjs/common';

import { type ProgressReport, ProgressSources } from '../events/progress-sources.js';
import type { VerificationPhase } from './verification-states.js';
import type { Verification } from './verification.entity.js';

/** How far a running verification is. Lives in the memory of the process that runs it. */
export interface VerificationProgress {
  phase: VerificationPhase;
  /** Stored bytes read so far, of all copies together. */
  bytes: number;
  /** Those that there are to read; null while that is unknown. */
  bytesTotal: number | null;
}

/** A running verification as seen from outside the runner. */
export class RunningVerification {
  readonly progress: VerificationProgress = { phase: 'opening', bytes: 0, bytesTotal: null };
  #bytesBefore = 0;

  constructor(private readonly verification: RunningRow) {}

  /** So many bytes, of all copies together, will be read. */
  expect(bytesTotal: number): void {
    this.progress.bytesTotal = bytesTotal;
  }

  /** The next copy is looked at. */
  beginCopy(): void {
    this.progress.phase = 'opening';
    this.#bytesBefore = this.progress.bytes;
  }

  enter(phase: VerificationPhase): void {
    this.progress.phase = phase;
  }

  /** So many bytes of this copy were read. */
  onBytes(bytes: number): void {
    this.progress.bytes = this.#bytesBefore + bytes;
  }

  report(): ProgressReport {
    const { id, databaseId, databaseName } = this.verification;
    return {
      subject: { kind: 'verification', id },
      database: { id: databaseId, name: databaseName },
      ...this.progress,
      item: null,
      itemsDone: 0,
      itemsTotal: null,
    };
  }
}

/** What of the row does not change while it runs. */
type RunningRow = Pick<Verification, 'id' | 'databaseId' | 'databaseName'>;

/** Where runners show, and views look up, what runs in this process now. */
@Injectable()
export class RunningVerifications {
  readonly #running = new Map<string, RunningVerification>();

  constructor(sources: ProgressSources) {
    sources.add(() => [...this.#running.values()].map((running) => running.report()));
  }

  begin(verification: RunningRow): RunningVerification {
    const running = new RunningVerification(verification);
    this.#running.set(verification.id, running);
    return running;
  }

  end(verificationId: string): void {
    this.#running.delete(verificationId);
  }

  of(verificationId: string): RunningVerification | undefined {
    return this.#running.get(verificationId);
  }
}
