import { Readable } from 'node:stream';

import type { Command } from 'commander';

import { addCleanup } from './cleanup-command.js';
import { CliError, EXIT } from './cli.errors.js';
import { type Context, type ContextOf, print } from './context.js';
import { mustBeFree, saveAs } from './saved-file.js';
import { confirm, formatBar, formatBytes, formatTable, StatusLine, tell } from './terminal.js';
import { addVerifyCommand } from './verify-command.js';
import { readSeconds, waitFor, type Work } from './waiting.js';

/** What is shown of a backup. */
export interface BackupBody extends Work {
  database_name: string;
  filename: string | null;
  created_at: string;
  size_bytes: number | null;
  locked: boolean;
  evidence: { name: string } | null;
}

interface ContentsBody {
  items: { name: string; rows: number; bytes: number | null }[];
}

const SHOW_EVERY_MS = 100;

const pathOf = (backup: string): string => `/backups/${encodeURIComponent(backup)}`;

/** `backups …`, and the same words without it. */
export function addBackupCommands(program: Command, contextOf: ContextOf): void {
  const backups = program.command('backups').description('make, find, look into and remove backups');
  for (const parent of [backups, program]) {
    addCreate(parent, contextOf);
    addList(parent, contextOf);
    addDelete(parent, contextOf);
    addCleanup(parent, contextOf);
  }
  addReading(backups, contextOf);
  addVerifyCommand(backups, contextOf);
  addChanging(backups, contextOf);
}

function addCreate(parent: Command, contextOf: ContextOf): void {
  parent
    .command('create [database]')
    .description('make a backup; the database may be left out when only one is registered')
    .option('-d, --description <text>', 'kept with the backup')
    .option('--locked', 'nobody and nothing deletes it until it is unlocked')
    .option('-w, --wait', 'wait for its end; exit code 1 when it fails')
    .option('--timeout <seconds>', 'the longest to wait', readSeconds, 3600)
    .action(async (database: string | undefined, options: CreateOptions, command: Command) => {
      const context = contextOf(command);
      const made = await context.api.send<BackupBody>(
        'POST',
        '/backups',
        {},
        {
          ...(database === undefined ? {} : { database_id: database }),
          ...(options.description === undefined ? {} : { description: options.description }),
          ...(options.locked === true ? { locked: true } : {}),
        },
      );
      const shown =
        options.wait === true ? await waitFor<BackupBody>(context, pathOf(made.id), options.timeout) : made;
      print(context, shown, describeBackup);
    });
}

interface CreateOptions {
  description?: string;
  locked?: boolean;
  wait?: boolean;
  timeout: number;
}

function addList(parent: Command, contextOf: ContextOf): void {
  parent
    .command('list')
    .description('backups, newest first')
    .option('--database <name>', 'only of this database')
    .option('--status <status>', 'only in these states, with commas between them')
    .option('--limit <number>', 'how many at most', '50')
    .action(async (options: { database?: string; status?: string; limit: string }, command: Command) => {
      const context = contextOf(command);
      const { database: database_id, status, limit } = options;
      const found = await context.api.get<BackupBody[]>('/backups', { database_id, status, limit });
      print(context, found, (rows) =>
        formatTable(
          ['CREATED', 'DATABASE', 'STATUS', 'EVIDENCE', 'SIZE', 'FILE OR ID'],
          rows.map((row) => [
            row.created_at,
            row.database_name,
            row.locked ? `${row.status} (locked)` : row.status,
            row.evidence?.name,
            formatBytes(row.size_bytes),
            row.filename ?? row.id,
          ]),
        ),
      );
    });
}

function addDelete(parent: Command, contextOf: ContextOf): void {
  parent
    .command('delete <backup>')
    .description('delete a backup, by file name or id, with its files')
    .option('-y, --yes', 'do not ask')
    .option('--force', 'also the newest proven one of its database')
    .action(async (backup: string, options: { yes?: boolean; force?: boolean }, command: Command) => {
      const context = contextOf(command);
      await confirm(`Delete ${backup}? It cannot be brought back.`, options.yes === true);
      const query = options.force === true ? { force: true } : {};
      print(context, await context.api.send<BackupBody>('DELETE', pathOf(backup), query), describeBackup);
    });
}

function addReading(backups: Command, contextOf: ContextOf): void {
  backups
    .command('show <backup>')
    .description('one backup, by file name or id')
    .action(async (backup: string, _options: object, command: Command) => {
      const context = contextOf(command);
      print(context, await context.api.get<BackupBody>(pathOf(backup)), describeBackup);
    });
  backups
    .command('contents <backup>')
    .description('its tables or collections, with their rows')
    .action(async (backup: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const contents = await context.api.get<ContentsBody>(`${pathOf(backup)}/contents`);
      print(context, contents, ({ items }) =>
        formatTable(
          ['NAME', 'ROWS'],
          items.map(({ name, rows }) => [name, rows]),
        ),
      );
    });
  backups
    .command('download <backup>')
    .description('fetch its archive')
    .option(
      '-o, --output <file>',
      'where to; its own name when left out. A file that is there already is not overwritten',
    )
    .option('--plain', 'decompressed')
    .action(async (backup: string, options: { output?: string; plain?: boolean }, command: Command) => {
      await download(contextOf(command), backup, options);
    });
}

async function download(
  context: Context,
  backup: string,
  { output, plain }: { output?: string; plain?: boolean },
): Promise<void> {
  const query = plain === true ? { plain: true } : {};
  const { filename } = await context.api.get<BackupBody>(pathOf(backup));
  const target = output ?? (plain === true ? filename?.replace(/\.(zst|gz)$/, '') : filename);
  if (target === null || target === undefined) throw new CliError(EXIT.refused, `${backup} has no archive.`);
  await mustBeFree(target);
  const answer = await context.api.fetch('GET', `${pathOf(backup)}/download`, query);
  if (answer.body === null) throw new CliError(EXIT.refused, `${backup} came without a body.`);
  const size_bytes = await saveShown(context, target, answer, Readable.fromWeb(answer.body));
  print(context, { file: target, size_bytes }, () => `${target}  ${formatBytes(size_bytes)}`);
}

/** The `ETag` of an archive is its digest. */
const DIGEST = /^"([0-9a-f]{64})"$/;

/** Saves with a bar on a terminal. The service says beforehand how much will come, and its digest. */
async function saveShown(
  context: Context,
  target: string,
  answer: Response,
  bytes: Readable,
): Promise<number> {
  // Gone where something on the way encodes the answer anew.
  const length = answer.headers.get('content-length');
  const total = length === null ? undefined : Number(length);
  const sha256 = DIGEST.exec(answer.headers.get('etag') ?? '')?.[1];
  const line = new StatusLine(context);
  let shownAtMs = Number.NEGATIVE_INFINITY;
  try {
    const onBytes = (count: number): void => {
      const nowMs = context.clock.monotonicMs();
      if (nowMs - shownAtMs < SHOW_EVERY_MS && count !== total) return;
      shownAtMs = nowMs;
      const shown = formatBytes(count);
      line.show(total === undefined ? shown : `${formatBar(count, total)} ${shown} of ${formatBytes(total)}`);
    };
    return await saveAs(target, bytes, { sha256, onBytes });
  } finally {
    line.clear();
  }
}

function addChanging(backups: Command, contextOf: ContextOf): void {
  for (const [word, locked, text] of [
    ['lock', true, 'keep it whatever retention says'],
    ['unlock', false, 'let retention decide again'],
  ] as const) {
    backups
      .command(`${word} <backup>`)
      .description(text)
      .action(async (backup: string, _options: object, command: Command) => {
        const context = contextOf(command);
        print(
          context,
          await context.api.send<BackupBody>('PATCH', pathOf(backup), {}, { locked }),
          describeBackup,
        );
      });
  }
  backups
    .command('cancel <backup>')
    .description('stop one that waits or runs')
    .action(async (backup: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const cancelled = await context.api.send<BackupBody>('POST', `${pathOf(backup)}/cancel`);
      if (!context.json) tell('Asked to stop; nothing of it runs within 5 seconds.');
      print(context, cancelled, describeBackup);
    });
}

export function describeBackup(backup: BackupBody): string {
  const lines = [
    ['id', backup.id],
    ['database', backup.database_name],
    ['status', backup.locked ? `${backup.status} (locked)` : backup.status],
    ['evidence', backup.evidence?.name ?? '-'],
    ['file', backup.filename ?? '-'],
    ['size', formatBytes(backup.size_bytes)],
    ...(backup.error === null ? [] : [['error', `${backup.error.code}: ${backup.error.detail}`]]),
  ];
  return lines.map(([name = '', value]) => `${name.padEnd(9)} ${value}`).join('\n');
}
