import { dirname, join, resolve } from 'node:path';

import {
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  IsTimeZone,
  Matches,
  Max,
  Min,
  MinLength,
} from 'class-validator';

import { MIN_KEY_TEXT_LENGTH } from '../secrets/secret-key.js';
import { asBoolean, asInteger, asLimit, asList, asPath, asPaths, FromEnv } from './from-env.js';

/** Levels of the log, most severe first. */
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const DAY_SECONDS = 86_400;
const WHOLE_OR_NONE = 'must be a whole number from 1, or none';

/**
 * Every setting of the service, read once at start from the environment (see `read-config.ts`) and frozen. The
 * initial values are the defaults. Times are in seconds, paths are absolute.
 */
export class Config {
  /** 0 takes any free port; the log says which. */
  @FromEnv('PORT', asInteger)
  @IsInt()
  @Min(0)
  @Max(65_535)
  readonly port: number = 8000;

  /** Loopback by default: the API has no authentication of its own yet. */
  @FromEnv('HOST')
  @IsString()
  readonly host: string = '127.0.0.1';

  @FromEnv('LOG_LEVEL')
  @IsIn(LOG_LEVELS)
  readonly logLevel: LogLevel = 'info';

  /** Where the catalog is when `databaseUrl` is not set: a SQLite file. */
  @FromEnv('DATABASE_PATH', asPath)
  @IsString()
  readonly databasePath: string = resolve('data/backup.db');

  /** The catalog in PostgreSQL. Holds a password. */
  @FromEnv('DATABASE_URL', undefined, { secret: true })
  @IsOptional()
  @Matches(/^postgres(ql)?:\/\/[^\s]+$/, {
    message: 'must be a URL like postgres://user:password@host:5432/name',
  })
  readonly databaseUrl: string | null = null;

  /** Databases and schedules that are declared (`src/declared`). Null: `DEFAULT_CONFIG_FILE` where that is there. */
  @FromEnv('CONFIG_FILE', asPath)
  @IsOptional()
  @IsString()
  readonly configFile: string | null = null;

  @FromEnv('BACKUP_DIR', asPath)
  @IsString()
  readonly backupDir: string = resolve('data/backups');

  /** Folders below which a request may choose one for its backup; none by default. */
  @FromEnv('BACKUP_DIR_ROOTS', asPaths)
  @IsString({ each: true })
  readonly backupDirRoots: readonly string[] = [];

  /** Folder for temporary files of tools: the service's own one below `WORK_DIR`, emptied at start. */
  @FromEnv('WORK_DIR', asPath)
  @IsString()
  readonly workDir: string = resolve('data/work');

  @FromEnv('MAX_CONCURRENT_BACKUPS', asInteger)
  @IsInt()
  @Min(1)
  @Max(64)
  readonly maxConcurrentBackups: number = 2;

  @FromEnv('MAX_CONCURRENT_PER_HOST', asInteger)
  @IsInt()
  @Min(1)
  @Max(64)
  readonly maxConcurrentPerHost: number = 2;

  /**
   * Names under which the service may be asked, besides those of loopback; `*` for any. With none, any is accepted, unless it listens
   * on loopback alone.
   */
  @FromEnv('ALLOWED_HOSTS', asList)
  @Matches(/^(\*|[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])$/, {
    each: true,
    message: 'must be "*" or names of hosts like backups.example.com (no port), with commas between them',
  })
  readonly allowedHosts: readonly string[] = [];

  /** Origins (`https://backups.example.com`) whose pages may call the API; `*` for all; none by default. */
  @FromEnv('CORS_ORIGINS', asList)
  @Matches(/^(\*|https?:\/\/[^\s/]+)$/, {
    each: true,
    message: 'must be "*" or origins like https://backups.example.com (no path), with commas between them',
  })
  readonly corsOrigins: readonly string[] = [];

  /** After SIGTERM running work may finish for so long; then it is aborted. */
  @FromEnv('SHUTDOWN_GRACE_SECONDS', asInteger)
  @IsInt()
  @Min(0)
  @Max(DAY_SECONDS)
  readonly shutdownGraceSeconds: number = 30;

  /** The key that seals credentials. When null, it is kept in the file `secretKeyPath`. */
  @FromEnv('BACKSTOP_SECRET_KEY', undefined, { secret: true })
  @IsOptional()
  @IsString()
  @MinLength(MIN_KEY_TEXT_LENGTH)
  readonly secretKey: string | null = null;

  @FromEnv('SECRET_KEY_PATH', asPath)
  @IsString()
  readonly secretKeyPath: string = '';

  /** Where client tools of PostgreSQL are looked for first. */
  @FromEnv('PG_BIN_DIRS', asPaths)
  @IsString({ each: true })
  readonly pgBinDirs: readonly string[] = [];

  /** Where the MongoDB Database Tools are looked for first. */
  @FromEnv('MONGO_BIN_DIRS', asPaths)
  @IsString({ each: true })
  readonly mongoBinDirs: readonly string[] = [];

  /** IANA name of the zone in which schedules and file names are read when nothing else is said. */
  @FromEnv('TIMEZONE')
  @IsTimeZone({ message: 'must be the name of a time zone such as Europe/Berlin' })
  readonly timezone: string = 'UTC';

  /** Whether schedules run. When not, backups are made on request only; retention goes on. */
  @FromEnv('BACKUP_ENABLED', asBoolean)
  @IsBoolean({ message: 'must be true or false' })
  readonly backupEnabled: boolean = true;

  /** Cron expression of five fields for databases without a schedule of their own. The scheduler reads it, and refuses a wrong one. */
  @FromEnv('BACKUP_SCHEDULE')
  @IsOptional()
  @IsString()
  readonly backupSchedule: string | null = null;

  /** The same as hours between two backups, instead of `backupSchedule`. */
  @FromEnv('BACKUP_INTERVAL_HOURS', asInteger)
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(8760)
  readonly backupIntervalHours: number | null = null;

  /** Limits for databases that set neither. `none`: backups of any age, of any number, are kept. */
  @FromEnv('BACKUP_RETENTION_DAYS', asLimit)
  @IsOptional()
  @IsInt({ message: WHOLE_OR_NONE })
  @Min(1, { message: WHOLE_OR_NONE })
  @Max(36_500)
  readonly backupRetentionDays: number | null = 30;

  @FromEnv('BACKUP_MAX_COUNT', asLimit)
  @IsOptional()
  @IsInt({ message: WHOLE_OR_NONE })
  @Min(1, { message: WHOLE_OR_NONE })
  @Max(1_000_000)
  readonly backupMaxCount: number | null = null;

  /** A worker that did not renew its right to a piece of work for so long is held to be dead. */
  @FromEnv('LEASE_SECONDS', asInteger)
  @IsInt()
  @Min(2)
  @Max(3600)
  readonly leaseSeconds: number = 30;

  @FromEnv('BACKUP_MAX_ATTEMPTS', asInteger)
  @IsInt()
  @Min(1)
  @Max(100)
  readonly backupMaxAttempts: number = 3;

  /** Wait before the second attempt; doubled for each further one. */
  @FromEnv('RETRY_BACKOFF_SECONDS', asInteger)
  @IsInt()
  @Min(0)
  @Max(DAY_SECONDS)
  readonly retryBackoffSeconds: number = 30;

  /** The longest that one attempt may take; null for no limit. */
  @FromEnv('BACKUP_TIMEOUT_SECONDS', asInteger)
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(30 * DAY_SECONDS)
  readonly backupTimeoutSeconds: number | null = null;

  /** An attempt in which no byte moves for so long is aborted; a call to a destination that gives no answer for so long is given up. */
  @FromEnv('STALL_SECONDS', asInteger)
  @IsInt()
  @Min(1)
  @Max(DAY_SECONDS)
  readonly stallSeconds: number = 600;

  /** Events, and logs of backups that came to nothing, are forgotten when they are older than so many days. */
  @FromEnv('EVENT_KEEP_DAYS', asInteger)
  @IsInt()
  @Min(1)
  @Max(3650)
  readonly eventKeepDays: number = 30;
}

/** The key file lies beside the catalog unless told otherwise. */
export function defaultSecretKeyPath(databasePath: string): string {
  return join(dirname(databasePath), 'secret.key');
}
