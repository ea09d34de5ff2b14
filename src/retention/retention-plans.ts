import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { Clock } from '../clock/clock.js';
import { TimeZone } from '../clock/time-zone.js';
import { Config } from '../config/config.js';
import type { Database } from '../databases/database.entity.js';
import {
  completePolicy,
  type RetentionPolicy,
  type RetentionSettings,
} from '../databases/retention-policy.js';
import { type KnownSchedules, ScheduleKnowledge } from './known-schedules.js';
import { type KnownBackup, readHistory } from './retention-history.js';
import { type Decision, planRetention } from './retention-planner.js';

/** All that decides about the backups of one database. */
export interface Rules {
  policy: RetentionPolicy;
  ofSchedules: ReadonlyMap<string, RetentionPolicy>;
  zone: TimeZone;
}

/** What retention would do with one database at `now`. */
export interface Plan {
  now: Date;
  rules: Rules;
  known: KnownSchedules;
  history: KnownBackup[];
  decisions: Decision[];
}

/** Another policy to try, or an age limit for this time only. */
export interface Trial {
  settings?: RetentionSettings;
  retentionDays?: number | undefined;
}

/** Asks the catalog what the planner has to know. */
@Injectable()
export class RetentionPlans {
  constructor(
    private readonly clock: Clock,
    private readonly config: Config,
    private readonly schedules: ScheduleKnowledge,
  ) {}

  /** With `entities` of a transaction that holds the database the plan is true until that ends. */
  async of(entities: EntityManager, database: Database, trial: Trial = {}): Promise<Plan> {
    const known = await this.schedules.of(entities, database.id);
    const rules = this.rulesOf(database, known, trial);
    const history = await readHistory(entities, database.id);
    const now = this.clock.now();
    const decisions = planRetention(rules.policy, history, now, rules.zone, rules.ofSchedules);
    return { now, rules, known, history, decisions };
  }

  rulesOf(database: Pick<Database, 'retention'>, known: KnownSchedules, trial: Trial = {}): Rules {
    const defaults = {
      retentionDays: this.config.backupRetentionDays,
      maxBackups: this.config.backupMaxCount,
    };
    const once = trial.retentionDays === undefined ? {} : { retentionDays: trial.retentionDays };
    const policy = { ...completePolicy(trial.settings ?? database.retention, defaults), ...once };
    const ofSchedules = new Map<string, RetentionPolicy>();
    // A policy that is tried for the database is tried for all of its backups.
    for (const { id, retention } of trial.settings === undefined ? known.schedules : []) {
      // The database's limits are to a schedule what the service's are to the database; floors are not handed on.
      if (retention !== null) ofSchedules.set(id, { ...completePolicy(retention, policy), ...once });
    }
    return { policy, ofSchedules, zone: TimeZone.of(known.timezone ?? this.config.timezone) };
  }
}
