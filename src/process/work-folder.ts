import { mkdir, rm } from 'node:fs/promises';

import { Injectable, Logger } from '@nestjs/common';

import { Clock } from '../clock/clock.js';
import { Config } from '../config/config.js';
import { DomainError } from '../errors/domain-error.js';
import { ExclusiveFile } from './exclusive-file.js';
import { endOrphanedTools } from './orphaned-tools.js';
import { WorkFolderInUseError, WorkFolderUnusableError } from './process.errors.js';

/**
 * The service's own folder below `WORK_DIR` (see `workFolderOf`), for temporary files of tools. Taken at the start, and held
 * until the process ends.
 */
@Injectable()
export class WorkFolder {
  readonly #log = new Logger('Recovery');
  /** Kept, because a lock that nobody keeps is lost. */
  #lock: ExclusiveFile | undefined;

  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  /**
   * Ends the tools that a killed predecessor has left running, and makes the folder anew: what is in it may hold credentials of
   * a database (password files of tools). To be called before work begins.
   *
   * @throws WorkFolderInUseError when another service uses it, which only several on one PostgreSQL catalog can do
   * @throws WorkFolderUnusableError
   */
  async take(): Promise<void> {
    const { workDir } = this.config;
    try {
      this.#lock = await ExclusiveFile.take(`${workDir}.lock`);
      if (this.#lock === undefined) throw new WorkFolderInUseError(workDir);
      const tools = await endOrphanedTools(workDir, this.clock);
      if (tools > 0) this.#log.warn({ tools }, 'ended tools that a killed service had left running');
      await rm(workDir, { recursive: true, force: true });
      await mkdir(workDir, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw error instanceof DomainError ? error : new WorkFolderUnusableError(workDir, error);
    }
  }
}
