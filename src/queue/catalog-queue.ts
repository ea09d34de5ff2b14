import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { Catalog } from '../catalog/catalog.js';
import { Clock } from '../clock/clock.js';
import { Config } from '../config/config.js';
import type { Caps } from './claim-rules.js';
import { HeldLease } from './held-lease.js';
import { LeaseLostError, ShuttingDownError } from './queue.errors.js';
import { type CancelLook, type Lease, Queue, type Work, type WorkKind, type WorkRunner } from './queue.js';
import { type Claim, TicketStore } from './ticket-store.js';

/** How long an idle loop sleeps when nothing wakes it: another process's tickets, and those whose time comes. */
const POLL_MS = 500;
/** Pause after a claim failed (catalog busy or gone), and before a ticket that its runner left is claimed again. */
const TROUBLE_MS = 1000;
const LEFT_UNFINISHED_MS = 30_000;
/** Any constant will do, but that of another decision (`Catalog.oneAtATime`). */
const CLAIMING = 7_236_202;
/** How often requests to cancel are looked for that came to another process. */
const CANCEL_LOOK_MS = 1000;

/** The queue over the catalog's own `tickets`: for one process, or for several on a PostgreSQL catalog. */
@Injectable()
export class CatalogQueue extends Queue {
  readonly #log = new Logger('Queue');
  readonly #runners = new Map<WorkKind, WorkRunner>();
  readonly #cancelLooks = new Map<WorkKind, CancelLook>();
  readonly #held = new Map<string, HeldLease>();
  #wake = new AbortController();
  #stopping = false;
  #loop: Promise<void> = Promise.resolve();
  #heartbeat: Promise<void> = Promise.resolve();
  readonly #heartbeatStop = new AbortController();
  readonly #stopped = new AbortController();

  constructor(
    private readonly catalog: Catalog,
    private readonly clock: Clock,
    private readonly config: Config,
    private readonly tickets: TicketStore,
  ) {
    super();
  }

  override async send(tx: EntityManager, work: Work): Promise<void> {
    await this.tickets.insert(tx, work);
    // On SQLite the claim waits behind this transaction; elsewhere the next poll sees what was committed after the wake.
    this.#wake.abort();
  }

  override work(kind: WorkKind, runner: WorkRunner, cancelled?: CancelLook): void {
    if (this.#runners.has(kind)) throw new Error(`two workers for ${kind}`);
    this.#runners.set(kind, runner);
    if (cancelled !== undefined) this.#cancelLooks.set(kind, cancelled);
  }

  override async start(): Promise<void> {
    if (this.#stopping) return; // a signal came while the service began to listen
    if (this.catalog.hasSoleOwner) {
      await this.catalog.write((tx) => this.tickets.expireAll(tx));
    }
    this.#loop = this.#claimUntilStopped();
    const cancels = this.catalog.hasSoleOwner ? Promise.resolve() : this.#lookForCancelsUntilStopped();
    this.#heartbeat = Promise.all([this.#renewUntilStopped(), cancels]).then(() => undefined);
  }

  override async confirm(tx: EntityManager, lease: Lease): Promise<void> {
    await this.tickets.confirm(tx, lease);
  }

  override async finish(tx: EntityManager, lease: Lease): Promise<void> {
    await this.tickets.remove(tx, lease, this.clock.now());
  }

  override async postpone(tx: EntityManager, lease: Lease, runAfter: Date): Promise<void> {
    await this.tickets.release(tx, lease, runAfter);
  }

  override async withdraw(tx: EntityManager, kind: WorkKind, subjectId: string): Promise<boolean> {
    return this.tickets.withdraw(tx, kind, subjectId);
  }

  override cancel(kind: WorkKind, subjectId: string, reason: Error): boolean {
    for (const held of this.#held.values()) {
      if (held.lease.kind !== kind || held.lease.subjectId !== subjectId) continue;
      held.abort(reason);
      return true;
    }
    return false;
  }

  override get stopped(): AbortSignal {
    return this.#stopped.signal;
  }

  override async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    this.#wake.abort();
    await this.#loop;
    const all = Promise.all([...this.#held.values()].map((held) => held.ended));
    const graceOver = new AbortController();
    await Promise.race([all, this.clock.sleep(graceMs, graceOver.signal).catch(() => undefined)]);
    graceOver.abort();
    for (const held of this.#held.values()) held.abort(new ShuttingDownError());
    await all;
    this.#heartbeatStop.abort();
    await this.#heartbeat;
    this.#stopped.abort(new ShuttingDownError());
  }

  async #claimUntilStopped(): Promise<void> {
    while (!this.#stopping) {
      this.#wake = new AbortController();
      try {
        const claim = await this.#claimNext();
        if (claim) this.#run(claim);
        else await this.#pause(POLL_MS);
      } catch (error) {
        this.#log.error({ err: error }, 'cannot claim work; trying again');
        await this.#pause(TROUBLE_MS);
      }
    }
  }

  async #claimNext(): Promise<Claim | undefined> {
    return this.catalog.write(async (tx) => {
      // Two that saw the same room under a cap would both take it (decision 34).
      await this.catalog.oneAtATime(tx, CLAIMING);
      const now = this.clock.now();
      const kinds = [...this.#runners.keys()];
      const held = new Set(this.#held.keys());
      return this.tickets.claim(tx, kinds, this.#caps(), now, this.#leaseEnd(now), held);
    });
  }

  #run(claim: Claim): void {
    const held = new HeldLease(claim, this.clock.monotonicMs() + this.config.leaseSeconds * 1000);
    this.#held.set(claim.ticketId, held);
    const runner = this.#runners.get(claim.kind);
    if (!runner) throw new Error(`no worker for ${claim.kind}`);
    held.ended = runner(held.lease)
      .catch((error: unknown) => {
        if (error instanceof LeaseLostError) held.abort(error);
        // Runners write their own failures to their rows; what reaches this line could not even be written.
        this.#log.error(
          { err: error, kind: claim.kind, subjectId: claim.subjectId },
          'work ended without a result',
        );
      })
      .then(() => this.#releaseIfHeld(held))
      .finally(() => {
        this.#held.delete(claim.ticketId);
        this.#wake.abort();
      });
  }

  /** A ticket that its runner neither finished nor postponed is tried again, and not at once. */
  async #releaseIfHeld(held: HeldLease): Promise<void> {
    const { lease } = held;
    if (lease.signal.reason instanceof LeaseLostError) {
      const { kind, subjectId } = lease;
      this.#log.warn({ kind, subjectId }, 'a lost lease is given up; another worker has taken over');
    }
    try {
      await this.catalog.write(async (tx) => {
        const now = this.clock.now();
        if (!(await this.tickets.renew(tx, lease, now))) return;
        const pause = lease.signal.aborted ? 0 : LEFT_UNFINISHED_MS;
        await this.tickets.release(tx, lease, new Date(now.getTime() + pause));
      });
    } catch (error) {
      this.#log.error({ err: error, subjectId: lease.subjectId }, 'cannot release a lease; it will run out');
    }
  }

  async #renewUntilStopped(): Promise<void> {
    const { signal } = this.#heartbeatStop;
    const everyMs = (this.config.leaseSeconds * 1000) / 3;
    while (!signal.aborted) {
      await this.clock.sleep(everyMs, signal).catch(() => undefined);
      if (!signal.aborted) await this.#renewAll();
    }
  }

  async #renewAll(): Promise<void> {
    for (const held of [...this.#held.values()]) {
      const { lease } = held;
      try {
        const startedMs = this.clock.monotonicMs();
        const now = this.clock.now();
        const ours = await this.catalog.write((tx) => this.tickets.renew(tx, lease, this.#leaseEnd(now)));
        if (ours) held.untilMs = startedMs + this.config.leaseSeconds * 1000;
        else if (this.#held.has(lease.ticketId)) held.abort(new LeaseLostError(lease.kind, lease.subjectId));
      } catch (error) {
        this.#log.warn({ err: error, subjectId: lease.subjectId }, 'cannot renew a lease');
        // Others may take it from now on, so it counts as lost although we could not ask.
        if (this.clock.monotonicMs() >= held.untilMs) {
          held.abort(new LeaseLostError(lease.kind, lease.subjectId));
        }
      }
    }
  }

  async #lookForCancelsUntilStopped(): Promise<void> {
    const { signal } = this.#heartbeatStop;
    while (!signal.aborted) {
      await this.clock.sleep(CANCEL_LOOK_MS, signal).catch(() => undefined);
      for (const [kind, look] of this.#cancelLooks) {
        const running = [...this.#held.values()].filter(({ lease }) => lease.kind === kind);
        if (running.length === 0 || signal.aborted) continue;
        try {
          const asked = await look(running.map(({ lease }) => lease.subjectId));
          for (const [subjectId, reason] of asked) this.cancel(kind, subjectId, reason);
        } catch (error) {
          this.#log.warn({ err: error }, 'cannot look for requests to cancel; trying again');
        }
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    await this.clock.sleep(ms, this.#wake.signal).catch(() => undefined);
  }

  #leaseEnd(now: Date): Date {
    return new Date(now.getTime() + this.config.leaseSeconds * 1000);
  }

  #caps(): Caps {
    const { maxConcurrentBackups: total, maxConcurrentPerHost: perLane } = this.config;
    return {
      backup: { total, perLane },
      restore: { total, perLane },
      'backup-removal': { total: 1, perLane: 1 },
      retention: { total: 1, perLane: 1 },
      // Node has four threads for files, and SQLite needs one: readers of a share that hangs must not hold all of them (decision 33).
      verification: { total: 1, perLane: 1 },
    };
  }
}
