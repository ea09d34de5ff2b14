import { DomainError } from '../errors/domain-error.js';

export class ScheduleNotFoundError extends DomainError {
  constructor(id: string) {
    super({
      code: 'schedule-not-found',
      kind: 'not-found',
      detail: `There is no schedule "${id}". GET /schedules lists them.`,
      facts: { schedule: id },
    });
  }
}

export class ScheduleNameTakenError extends DomainError {
  constructor(name: string, databaseName: string) {
    super({
      code: 'schedule-name-taken',
      kind: 'conflict',
      detail: `"${databaseName}" has a schedule called "${name}" already. Choose another name, or change that one.`,
      facts: { name },
    });
  }
}

/** A field of a schedule cannot be what was asked. */
export class ScheduleInvalidError extends DomainError {
  constructor(field: string, complaint: string) {
    super({ code: 'schedule-invalid', kind: 'invalid', detail: `${field}: ${complaint}.`, facts: { field } });
  }
}

export class ScheduleAmbiguousError extends DomainError {
  constructor(cronField: string) {
    super({
      code: 'schedule-ambiguous',
      kind: 'invalid',
      detail: `Both ${cronField} and interval_hours are given, and only one of them can count. Leave one out.`,
      facts: { fields: [cronField, 'interval_hours'] },
    });
  }
}

export class ScheduleIncompleteError extends DomainError {
  constructor(cronField: string) {
    super({
      code: 'schedule-incomplete',
      kind: 'invalid',
      detail:
        `The schedule says nowhere when it runs: give ${cronField} or interval_hours. ` +
        'The service has no default either (BACKUP_SCHEDULE, BACKUP_INTERVAL_HOURS).',
      facts: { fields: [cronField, 'interval_hours'] },
    });
  }
}

export class ScheduleFromEnvironmentError extends DomainError {
  constructor(id: string) {
    super({
      code: 'schedule-from-environment',
      kind: 'conflict',
      detail:
        `Schedule ${id} follows the service's own BACKUP_SCHEDULE or BACKUP_INTERVAL_HOURS, for a database without one of its own. ` +
        `Stop it with PATCH /schedules/${id} {"enabled": false}, or give the database another schedule.`,
      facts: { schedule: id },
    });
  }
}
