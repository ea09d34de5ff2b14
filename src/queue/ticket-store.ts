import { Injectable } from '@nestjs/common';
import { type EntityManager, In, IsNull, LessThanOrEqual, Not } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';

import { type Caps, chooseNext } from './claim-rules.js';
import { LeaseLostError } from './queue.errors.js';
import type { Lease, Work, WorkKind } from './queue.js';
import { Ticket } from './ticket.entity.js';

/** What of a lease the rows know; the rest of `Lease` lives in the process that holds it. */
export type LeaseKey = Pick<Lease, 'ticketId' | 'kind' | 'subjectId' | 'token'>;
export type Claim = LeaseKey & Pick<Lease, 'claim'>;

/** How many waiting tickets one claim looks at. More than this behind full lanes wait for the next change. */
const CANDIDATES = 1000;

/** The statements on `tickets`. Every one is conditional on what its caller believes, and says whether that held. */
@Injectable()
export class TicketStore {
  /** A ticket that is there already is asked for once more; its row is held from here on, so nobody finishes it unawares. */
  async insert(tx: EntityManager, work: Work): Promise<void> {
    await tx
      .createQueryBuilder()
      .insert()
      .into(Ticket)
      .values({
        id: uuidv7(),
        kind: work.kind,
        subjectId: work.subjectId,
        exclusiveKey: work.exclusiveKey ?? null,
        lane: work.lane ?? null,
        runAfter: work.runAfter,
        claims: 0,
        askedFor: work.runAfter,
        leaseToken: null,
        leaseUntil: null,
      })
      .orUpdate(['asked_for'], ['kind', 'subject_id'])
      .execute();
  }

  /**
   * Takes the next ticket of these kinds that the caps allow, or a dead worker's.
   * @param held ids of the tickets whose runners are alive in this process: whatever the clock says, they are not dead
   */
  async claim(
    tx: EntityManager,
    kinds: readonly WorkKind[],
    caps: Caps,
    now: Date,
    leaseUntil: Date,
    held: ReadonlySet<string> = new Set(),
  ): Promise<Claim | undefined> {
    const oldestFirst = { runAfter: 'ASC', id: 'ASC' } as const;
    const leased = await tx.find(Ticket, { where: { leaseToken: Not(IsNull()) }, order: oldestFirst });
    const [running, dead] = partition(leased, (ticket) => held.has(ticket.id) || isAlive(ticket, now));
    // Thousands of removals behind one cap must not fill the window in which a backup would be seen.
    const open = kinds.filter((kind) => countOf(running, kind) < caps[kind].total);
    const waiting = await tx.find(Ticket, {
      where: { kind: In(open), runAfter: LessThanOrEqual(now), leaseToken: IsNull() },
      order: oldestFirst,
      take: CANDIDATES,
    });
    // A dead worker's ticket still holds its key in the unique index, so it must be settled before its successors.
    const free = waiting.filter((ticket) => !held.has(ticket.id) && !sharesKey(ticket, dead));
    const chosen = chooseNext([...dead.filter(({ kind }) => kinds.includes(kind)), ...free], running, caps);
    if (chosen === undefined) return undefined;
    const token = uuidv7();
    const taken = await tx.update(
      Ticket,
      { id: chosen.id, leaseToken: chosen.leaseToken ?? IsNull(), claims: chosen.claims },
      { leaseToken: token, leaseUntil, claims: chosen.claims + 1, askedFor: null },
    );
    if (taken.affected !== 1) return undefined;
    return {
      ticketId: chosen.id,
      kind: chosen.kind,
      subjectId: chosen.subjectId,
      token,
      claim: chosen.claims + 1,
    };
  }

  /** Gives false when the lease is no longer ours. */
  async renew(tx: EntityManager, lease: LeaseKey, leaseUntil: Date): Promise<boolean> {
    const renewed = await tx.update(Ticket, { id: lease.ticketId, leaseToken: lease.token }, { leaseUntil });
    return renewed.affected === 1;
  }

  /** An update of nothing takes the row's lock on every dialect. */
  async confirm(tx: EntityManager, lease: LeaseKey): Promise<void> {
    const { ticketId: id, token: leaseToken } = lease;
    const confirmed = await tx.update(Ticket, { id, leaseToken }, { leaseToken });
    if (confirmed.affected !== 1) throw new LeaseLostError(lease.kind, lease.subjectId);
  }

  /** What was asked for again meanwhile stays, for another claim at once. */
  async remove(tx: EntityManager, lease: LeaseKey, now: Date): Promise<void> {
    const { ticketId: id, token: leaseToken } = lease;
    const removed = await tx.delete(Ticket, { id, leaseToken, askedFor: IsNull() });
    if (removed.affected !== 1) await this.release(tx, lease, now);
  }

  async release(tx: EntityManager, lease: LeaseKey, runAfter: Date): Promise<void> {
    const released = await tx.update(
      Ticket,
      { id: lease.ticketId, leaseToken: lease.token },
      { leaseToken: null, leaseUntil: null, runAfter },
    );
    if (released.affected !== 1) throw new LeaseLostError(lease.kind, lease.subjectId);
  }

  async withdraw(tx: EntityManager, kind: WorkKind, subjectId: string): Promise<boolean> {
    const withdrawn = await tx.delete(Ticket, { kind, subjectId, leaseToken: IsNull() });
    return withdrawn.affected === 1;
  }

  /**
   * Ends all leases: nobody but us can have held them, and we have just been started. Without a time they are over whatever the
   * clock says; one that is a moment ago would lie ahead again if the clock were set back before the next claim.
   */
  async expireAll(tx: EntityManager): Promise<void> {
    await tx.update(Ticket, { leaseToken: Not(IsNull()) }, { leaseUntil: null });
  }
}

function isAlive(ticket: Ticket, now: Date): boolean {
  return ticket.leaseUntil !== null && ticket.leaseUntil >= now;
}

function countOf(tickets: readonly Ticket[], kind: WorkKind): number {
  return tickets.filter((ticket) => ticket.kind === kind).length;
}

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): [T[], T[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}

function sharesKey(ticket: Ticket, others: readonly Ticket[]): boolean {
  return ticket.exclusiveKey !== null && others.some((other) => other.exclusiveKey === ticket.exclusiveKey);
}
