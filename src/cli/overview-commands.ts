import type { Command } from 'commander';

import { type ContextOf, print } from './context.js';
import { formatBytes, formatTable } from './terminal.js';

interface StatusBody {
  enabled: boolean;
  backup_directory: string;
  total_backups: number;
  running: number;
  queued: number;
  scheduler: { next_run_at: string | null };
  disk: { free_bytes: number; total_bytes: number } | null;
}

interface StatsBody {
  per_database: {
    database_name: string;
    completed: number;
    failed: number;
    total_size_bytes: number;
    newest_at: string | null;
  }[];
}

/** `status`, `stats`, `open`. */
export function addOverviewCommands(program: Command, contextOf: ContextOf): void {
  program
    .command('status')
    .description('the service at a glance')
    .action(async (_options: object, command: Command) => {
      const context = contextOf(command);
      print(context, await context.api.get<StatusBody>('/backups/status'), describeStatus);
    });
  program
    .command('stats')
    .description('totals for each database')
    .action(async (_options: object, command: Command) => {
      const context = contextOf(command);
      print(context, await context.api.get<StatsBody>('/backups/stats'), ({ per_database }) =>
        formatTable(
          ['DATABASE', 'COMPLETED', 'FAILED', 'SIZE', 'NEWEST'],
          per_database.map((row) => [
            row.database_name,
            row.completed,
            row.failed,
            formatBytes(row.total_size_bytes),
            row.newest_at,
          ]),
        ),
      );
    });
  program
    .command('open')
    .description("print the address of the service's documentation, for a browser")
    .action((_options: object, command: Command) => {
      const context = contextOf(command);
      print(context, { url: `${context.api.place.url}/docs` }, ({ url }) => url);
    });
}

function describeStatus(status: StatusBody): string {
  const { disk } = status;
  return [
    `backups     ${status.total_backups} stored, ${status.running} running, ${status.queued} waiting`,
    `schedules   ${status.enabled ? `on, next at ${status.scheduler.next_run_at ?? '-'}` : 'off'}`,
    `directory   ${status.backup_directory}`,
    `room        ${disk === null ? '-' : `${formatBytes(disk.free_bytes)} of ${formatBytes(disk.total_bytes)}`}`,
  ].join('\n');
}
