import { type Command, InvalidArgumentError } from 'commander';

import { type Context, type ContextOf, print } from './context.js';
import { confirm, formatBytes, formatCount, tell } from './terminal.js';

interface CleanupBody {
  deleted_count: number;
  deleted_files: string[];
  total_size_freed: number;
  pending_count: number;
  kept: number;
  dry_run: boolean;
}

interface CleanupOptions {
  database?: string;
  retentionDays?: number;
  dryRun?: boolean;
  yes?: boolean;
}

function readDays(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new InvalidArgumentError('must be whole days, 1 or more.');
  return Number(text);
}

/** `backups cleanup`, `cleanup`. */
export function addCleanup(parent: Command, contextOf: ContextOf): void {
  parent
    .command('cleanup')
    .description('delete now what retention lets go; no floor of it is ever passed')
    .option('--database <name>', 'only of this database')
    .option('--retention-days <days>', "age limit for this time, in place of the policies' own", readDays)
    .option('--dry-run', 'only say what would be deleted')
    .option('-y, --yes', 'do not ask')
    .action(async (options: CleanupOptions, command: Command) => {
      const context = contextOf(command);
      if (options.dryRun === true) {
        print(context, await cleanUp(context, options, true), describeCleanup);
        return;
      }
      if (options.yes !== true) await askFirst(context, options);
      print(context, await cleanUp(context, options, false), describeCleanup);
    });
}

/** Shows what would go before asking. Where nothing would, there is nothing to ask. */
async function askFirst(context: Context, options: CleanupOptions): Promise<void> {
  const plan = await cleanUp(context, options, true);
  if (plan.deleted_count === 0) return;
  if (!context.json) for (const file of plan.deleted_files) tell(`  ${file}`);
  const what = `${formatCount(plan.deleted_count, 'backup')}, ${formatBytes(plan.total_size_freed)}`;
  await confirm(`Delete ${what}? They cannot be brought back.`, false);
}

async function cleanUp(
  { api }: Context,
  { database, retentionDays }: CleanupOptions,
  dryRun: boolean,
): Promise<CleanupBody> {
  const body = {
    dry_run: dryRun,
    ...(database === undefined ? {} : { database_id: database }),
    ...(retentionDays === undefined ? {} : { retention_days: retentionDays }),
  };
  return api.send<CleanupBody>('POST', '/backups/cleanup', {}, body);
}

function describeCleanup(cleanup: CleanupBody): string {
  const {
    deleted_count: deleted,
    deleted_files: files,
    total_size_freed: freed,
    kept,
    pending_count: pending,
  } = cleanup;
  const what = cleanup.dry_run ? 'would be deleted' : 'deleted';
  const size = cleanup.dry_run ? formatBytes(freed) : `${formatBytes(freed)} freed`;
  return [
    ...files,
    `${formatCount(deleted, 'backup')} ${what}, ${size}; ${formatCount(kept, 'backup')} ${cleanup.dry_run ? 'would stay' : 'kept'}`,
    ...(pending === 0
      ? []
      : [`${formatCount(pending, 'backup')} still being deleted; the service goes on with it`]),
  ].join('\n');
}
