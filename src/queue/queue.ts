import type { EntityManager } from 'typeorm';

/** Kinds of work; each has one worker in one room. */
export const WORK_KINDS = ['backup', 'backup-removal', 'restore', 'retention', 'verification'] as const;
export type WorkKind = (typeof WORK_KINDS)[number];

/** What is to be done. Its meaning, and all of its state, are in the row `subjectId` of the room that sends it. */
export interface Work {
  kind: WorkKind;
  subjectId: string;
  /** Two tickets with the same key never run at once (a database's id). */
  exclusiveKey?: string;
  /** Tickets of one lane share a cap (`host:db.example.com`). */
  lane?: string;
  /** Not before this moment. */
  runAfter: Date;
}

/** A worker's temporary right to a piece of work. */
export interface Lease {
  ticketId: string;
  kind: WorkKind;
  subjectId: string;
  /** Unique for each claim; what `finish` and `renew` ask for. */
  token: string;
  /** How often the work has been claimed, this time included; 1 at first. */
  claim: number;
  /** Aborts when the lease is lost, when `cancel` is called, or at a hard stop; `reason` is a `DomainError`. */
  signal: AbortSignal;
}

export type WorkRunner = (lease: Lease) => Promise<void>;

/**
 * Of these subjects, those that somebody has asked to stop, each with the reason to give its worker. Asked about work that runs in
 * this process, when the request may have come to another one.
 */
export type CancelLook = (subjectIds: readonly string[]) => Promise<ReadonlyMap<string, Error>>;

/**
 * Work that survives a crash. A ticket says "there is something to do for this row", and nothing else: what and how far is
 * the row's own state, so that there is one truth. Invariants, each with a test:
 *
 * - **Q1** `send` is part of the caller's transaction: the ticket exists if and only if the row's state change does.
 * - **Q2** At most one lease on a ticket at a time. `finish` and `postpone` are conditional on the lease's token, inside the caller's
 *   transaction: a worker that lost its lease gets `LeaseLostError` and its whole transaction rolls back.
 * - **Q3** A lease that is not renewed runs out, and the ticket is claimed again with `claim + 1`; after a restart of the
 *   only process at once. The runner begins by settling what the dead claim left. A process never takes its own living
 *   worker for a dead one, however far the clock jumps.
 * - **Q4** Never more running than the caps allow: in all, per lane, and one per `exclusiveKey`; counted over all processes that share the
 *   catalog.
 * - **Q5** Among those that may run, the one waiting longest goes first.
 * - **Q6** `stop` claims nothing more, waits for what runs up to the grace time (soft), then aborts it and waits for that (hard).
 * - **Q7** A runner that throws without having finished its ticket releases it for a later claim; the loop lives on.
 * - **Q8** On a catalog that several processes share, work is also cancelled by what `CancelLook` says, within a few seconds.
 * - **Q9** `send` never fails because of work that is there already. What waits is done once; what is being done now is done once
 *   more afterwards, since it may have begun before there was this to do.
 */
export abstract class Queue {
  abstract send(tx: EntityManager, work: Work): Promise<void>;

  /** Registers the worker of a kind. Nothing runs before `start`. */
  abstract work(kind: WorkKind, runner: WorkRunner, cancelled?: CancelLook): void;

  /** Begins to claim, once every room has registered its worker and the service has all it needs to go on. */
  abstract start(): Promise<void>;

  /**
   * For a step in the middle of the work: nobody takes the lease until this transaction ends. Rejects with `LeaseLostError` when
   * somebody has.
   */
  abstract confirm(tx: EntityManager, lease: Lease): Promise<void>;

  /** The work is over, well or badly: removes the ticket, unless it was sent again meanwhile. Rejects with `LeaseLostError`. */
  abstract finish(tx: EntityManager, lease: Lease): Promise<void>;

  /** Gives the lease back and asks for another claim at `runAfter` (a retry's back-off). Rejects with `LeaseLostError`. */
  abstract postpone(tx: EntityManager, lease: Lease, runAfter: Date): Promise<void>;

  /**
   * Withdraws work that nobody has claimed yet. Gives false when it is claimed (use `cancel` then) or absent.
   */
  abstract withdraw(tx: EntityManager, kind: WorkKind, subjectId: string): Promise<boolean>;

  /** Aborts the signal of a running lease with this reason; gives false when nothing of the kind runs here. */
  abstract cancel(kind: WorkKind, subjectId: string, reason: Error): boolean;

  /** Aborts with `ShuttingDownError` when `stop` has ended what ran: who waits for work waits in vain from then on. */
  abstract readonly stopped: AbortSignal;

  /** Resolves when nothing runs and nothing is left of it. */
  abstract stop(graceMs: number): Promise<void>;
}
