import { Injectable } from '@nestjs/common';

import { Clock } from '../clock/clock.js';
import { withTimeLimit } from '../clock/time-limit.js';
import { EngineRegistry } from '../engines/engine-registry.js';
import type { ProbeReport } from '../engines/engine.js';
import { ConnectionOpener } from './connection-opener.js';
import { dumpScopeOf } from './dump-scope.js';
import { ProbeTimeoutError } from './databases.errors.js';
import { DatabasesService } from './databases.service.js';

/** An engine gives up connecting after 10 s; the rest is for the questions it asks then. */
const TIMEOUT_MS = 30_000;

export interface ProbeResult {
  report: ProbeReport;
  /** To connect and to ask, in milliseconds' precision. */
  latencySeconds: number;
}

/** Tries the connection of a registered database, as a backup would. */
@Injectable()
export class DatabaseProbe {
  constructor(
    private readonly databases: DatabasesService,
    private readonly engines: EngineRegistry,
    private readonly opener: ConnectionOpener,
    private readonly clock: Clock,
  ) {}

  /**
   * Connects, asks, and leaves nothing open. `signal` ends it early, as does a time-out.
   *
   * @throws ProbeTimeoutError, and what opening the connection and the engine throw
   */
  async probe(idOrName: string, signal: AbortSignal): Promise<ProbeResult> {
    const database = await this.databases.get(idOrName);
    const engine = this.engines.get(database.engine);
    const connection = this.opener.open(database);
    const startMs = this.clock.monotonicMs();
    const limit = { ms: TIMEOUT_MS, reason: new ProbeTimeoutError(database.name, TIMEOUT_MS / 1000) };
    const report = await withTimeLimit(this.clock, limit, signal, (both) =>
      engine.probe(connection, { signal: both }, dumpScopeOf(database.options, engine.traits)),
    );
    const latencySeconds = Math.round(this.clock.monotonicMs() - startMs) / 1000;
    return { report, latencySeconds };
  }
}
