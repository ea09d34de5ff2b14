import { Logger } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { BackupEvidence } from '../../src/backups/backup-evidence.ts';
import type { CopyState } from '../../src/backups/backup-states.ts';
import { Backup } from '../../src/backups/backup.entity.ts';
import { readConfig } from '../../src/config/read-config.ts';
import { EventLog } from '../../src/events/event-log.ts';
import { RecordedEvent } from '../../src/events/recorded-event.entity.ts';
import { CatalogQueue } from '../../src/queue/catalog-queue.ts';
import { LeaseLostError } from '../../src/queue/queue.errors.ts';
import type { Lease } from '../../src/queue/queue.ts';
import { TicketStore } from '../../src/queue/ticket-store.ts';
import { Ticket } from '../../src/queue/ticket.entity.ts';
import type { CopyResult } from '../../src/verification/copy-result.ts';
import { VerificationMoves } from '../../src/verification/verification-moves.ts';
import { VerificationOutcomes } from '../../src/verification/verification-outcomes.ts';
import { Verification } from '../../src/verification/verification.entity.ts';
import { freshRoom, insertBackup, insertCopy, type Room } from '../backups/room.ts';
import { ManualClock } from '../support/manual-clock.ts';

const clock = new ManualClock();
const tickets = new TicketStore();
let room: Room;
let outcomes: VerificationOutcomes;

beforeAll(() => Logger.overrideLogger(false));
beforeEach(async () => {
  room = await freshRoom();
  const events = new EventLog(room.catalog, clock);
  const config = readConfig({});
  outcomes = new VerificationOutcomes(
    room.catalog,
    new CatalogQueue(room.catalog, clock, config, tickets),
    clock,
    config,
    new VerificationMoves(events),
    new BackupEvidence(events),
  );
});
afterEach(() => room[Symbol.asyncDispose]());

/** A verification that runs, of a backup whose copy is in this state by now. */
async function running(state: CopyState): Promise<{ verification: Verification; lease: Lease }> {
  const { catalog } = room;
  const evidenceLevel = state === 'stored' ? 0 : null;
  const backup = await insertBackup(room, { status: 'completed', evidenceLevel });
  await insertCopy(room, backup, { state });
  const id = uuidv7();
  const caps = { total: 9, perLane: 9 };
  const all = { backup: caps, restore: caps, 'backup-removal': caps, retention: caps, verification: caps };
  const claim = await catalog.write(async (tx) => {
    await tx.insert(Verification, {
      id,
      backupId: backup.id,
      databaseName: 'shop',
      level: 'readable',
      status: 'running',
      trigger: 'manual',
      createdAt: clock.now(),
      startedAt: clock.now(),
      attempt: 1,
      interruptedAttempts: 0,
      cancelRequested: false,
      copies: [],
    });
    await tickets.insert(tx, { kind: 'verification', subjectId: id, runAfter: clock.now() });
    return tickets.claim(tx, ['verification'], all, clock.now(), new Date(clock.now().getTime() + 30_000));
  });
  return { verification: await row(id), lease: { ...claim!, signal: new AbortController().signal } };
}

const row = (id: string): Promise<Verification> => room.catalog.read.findOneByOrFail(Verification, { id });
const backupOf = ({ backupId }: Verification): Promise<Backup> =>
  room.catalog.read.findOneByOrFail(Backup, { id: backupId });
const eventNames = async (): Promise<string[]> =>
  (await room.catalog.read.find(RecordedEvent, { order: { number: 'ASC' } })).map(({ name }) => name);

const passed: CopyResult = {
  destination: 'local',
  key: 'k',
  outcome: 'passed',
  level: 'readable',
  error: null,
};
const unknown: CopyResult = {
  ...passed,
  outcome: 'unknown',
  level: null,
  error: { code: 'storage-unavailable', detail: 'away', retryable: true },
};

describe('what becomes of a verification', () => {
  test('passed: the evidence is raised, the row says so, and the work is over', async () => {
    const { verification, lease } = await running('stored');
    await outcomes.ended(verification, [passed], lease);
    expect(await row(verification.id)).toMatchObject({ status: 'completed', levelReached: 'readable' });
    expect(await backupOf(verification)).toMatchObject({ evidenceLevel: 2, evidenceAt: clock.now() });
    expect(await eventNames()).toEqual(['VerificationCompleted', 'EvidenceRaised']);
    expect(await room.catalog.read.count(Ticket)).toBe(0);
  });

  test.each(['damaged', 'missing'] as const)(
    'passed, and somebody has found the copy %s since it was read: no evidence comes of it',
    async (state) => {
      const { verification, lease } = await running(state);
      await outcomes.ended(verification, [passed], lease);
      expect(await backupOf(verification)).toMatchObject({ evidenceLevel: null });
      expect(await eventNames()).toEqual(['VerificationCompleted']);
    },
  );

  test('one copy of several was not looked at: it has not passed, and raises nothing', async () => {
    const { verification, lease } = await running('stored');
    await outcomes.ended(verification, [passed, unknown], lease);
    expect(await row(verification.id)).toMatchObject({
      status: 'failed',
      levelReached: null,
      copies: [passed, unknown],
      errorCode: 'storage-unavailable',
      errorRetryable: true,
    });
    expect(await backupOf(verification)).toMatchObject({ evidenceLevel: 0 });
  });

  test('its worker has lost the lease: nothing at all is written', async () => {
    const { verification, lease } = await running('stored');
    await room.catalog.write((tx) => tx.update(Ticket, { id: lease.ticketId }, { leaseToken: uuidv7() }));
    const late = outcomes.ended(verification, [passed], lease);
    await expect(late).rejects.toBeInstanceOf(LeaseLostError);
    expect(await row(verification.id)).toEqual(verification);
    expect(await backupOf(verification)).toMatchObject({ evidenceLevel: 0 });
    expect(await eventNames()).toEqual([]);
  });

  test('another attempt is at work: nothing is written either', async () => {
    const { verification, lease } = await running('stored');
    await room.catalog.write((tx) => tx.update(Verification, { id: verification.id }, { attempt: 2 }));
    await expect(outcomes.ended(verification, [passed], lease)).rejects.toMatchObject({
      code: 'verification-not-in-state',
    });
    expect(await backupOf(verification)).toMatchObject({ evidenceLevel: 0 });
  });
});
