import { Injectable } from '@nestjs/common';
import { type EntityManager, In, IsNull, LessThan, LessThanOrEqual, MoreThanOrEqual, Not } from 'typeorm';
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
  async insert(tx: EntityManager, work: Work): Promise<void> {
    await tx.insert(Ticket, {
      id: uuidv7(),
      kind: work.kind,
      subjectId: work.subjectId,
      exclusiveKey: work.exclusiveKey ?? null,
      lane: work.lane ?? null,
      runAfter: work.runAfter,
      claims: 0,
      leaseToken: null,
      leaseUntil: null,
    });
  }

  /** Takes the next ticket of these kinds that the caps allow, or a dead worker's. */
  async claim(
    tx: EntityManager,
    kinds: readonly WorkKind[],
    caps: Caps,
    now: Date,
    leaseUntil: Date,
  ): Promise<Claim | undefined> {
    const running = await tx.findBy(Ticket, { leaseToken: Not(IsNull()), leaseUntil: MoreThanOrEqual(now) });
    const due = { kind: In([...kinds]), runAfter: LessThanOrEqual(now) };
    const waiting = await tx.find(Ticket, {
      where: [
        { ...due, leaseToken: IsNull() },
        { ...due, leaseUntil: LessThan(now) },
      ],
      order: { runAfter: 'ASC', id: 'ASC' },
      take: CANDIDATES,
    });
    // A dead worker's ticket still holds its key in the unique index, so it must be settled before its successors.
    const dead = waiting.filter((ticket) => ticket.leaseToken !== null);
    const chosen = chooseNext(
      waiting.filter((ticket) => ticket.leaseToken !== null || !sharesKey(ticket, dead)),
      running,
      caps,
    );
    if (chosen === undefined) return undefined;
    const token = uuidv7();
    const taken = await tx.update(
      Ticket,
      { id: chosen.id, leaseToken: chosen.leaseToken ?? IsNull(), claims: chosen.claims },
      { leaseToken: token, leaseUntil, claims: chosen.claims + 1 },
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

  async remove(tx: EntityManager, lease: LeaseKey): Promise<void> {
    const removed = await tx.delete(Ticket, { id: lease.ticketId, leaseToken: lease.token });
    if (removed.affected !== 1) throw new LeaseLostError(lease.kind, lease.subjectId);
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

  /** Ends all leases: nobody but us can have held them, and we have just been started. */
  async expireAll(tx: EntityManager, now: Date): Promise<void> {
    await tx.update(Ticket, { leaseToken: Not(IsNull()) }, { leaseUntil: new Date(now.getTime() - 1) });
  }
}

function sharesKey(ticket: Ticket, others: readonly Ticket[]): boolean {
  return ticket.exclusiveKey !== null && others.some((other) => other.exclusiveKey === ticket.exclusiveKey);
}
