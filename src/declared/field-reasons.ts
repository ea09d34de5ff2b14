import type { FilePath } from './fault.js';

const NO_SECRET = 'is a secret, and none stands in this file';
const NOT_YET = 'does nothing yet in this version, and is refused rather than passed over; leave it out';

/** Why a field that somebody may well expect is not taken, by the end of its path; `*` stands for an item's number. */
const REASONS: Record<string, string> = {
  destinations: `${NOT_YET}. Archives go to BACKUP_DIR`,
  notifications: `${NOT_YET}. Prometheus rules in config/prometheus and GET /events tell of failures`,
  'databases.*.destinations': `${NOT_YET}. Archives go to BACKUP_DIR`,
  'databases.*.password': `${NO_SECRET}: give password_var, the name of an environment variable that holds it`,
  'databases.*.tls.key': `${NO_SECRET}: give cert and key by PATCH /databases/{id}; what the file does not mention stays`,
  'databases.*.cron': 'is not a known field; in a database it is called schedule',
  'databases.*.database': 'is not a known field; the name on the server is database_name',
  'databases.*.type': 'is not a known field; it is called engine',
  'databases.*.retention':
    'is not a known field; give retention_days, max_backups, keep_daily and so on beside it',
  'schedules.*.schedule': 'is not a known field; in a schedule it is called cron',
  'schedules.*.database':
    'is not a known field; it is called database_id, and takes the name of a database too',
};

/** The reason, or undefined for a field that is simply not known. */
export function fieldReason(path: FilePath): string | undefined {
  return REASONS[path.map((step) => (typeof step === 'number' ? '*' : step)).join('.')];
}
