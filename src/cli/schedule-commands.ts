import type { Command } from 'commander';

import type { ApiClient } from './api-client.js';
import { type BackupBody, describeBackup } from './backup-commands.js';
import { CliError, EXIT } from './cli.errors.js';
import { type ContextOf, print } from './context.js';
import {
  addScheduleOptions,
  addTimeOptions,
  readCount,
  type ScheduleOptions,
  toScheduleBody,
} from './schedule-options.js';
import { confirm, formatTable } from './terminal.js';
import { readSeconds, waitFor } from './waiting.js';

/** What is shown of a schedule. */
interface ScheduleBody {
  id: string;
  database_name: string;
  name: string;
  cron: string | null;
  interval_hours: number | null;
  timezone: string;
  from_environment: boolean;
  enabled: boolean;
  catch_up: string;
  jitter_seconds: number;
  blackouts: { days?: string[]; from: string; to: string }[];
  retention: Record<string, number | null> | null;
  last_run_at: string | null;
  last_status: string | null;
  next_run_at: string | null;
}

interface FiringBody {
  at: string;
  local: string;
  note: string | null;
}

const SCHEDULE = 'its id, or DATABASE/NAME; DATABASE alone is the one called default';

/** `schedules …`. */
export function addScheduleCommands(program: Command, contextOf: ContextOf): void {
  const schedules = program.command('schedules').description('when databases are backed up by themselves');
  addLooking(schedules, contextOf);
  addMaking(schedules, contextOf);
  addSwitches(schedules, contextOf);
  addRun(schedules, contextOf);
  addPreview(schedules, contextOf);
}

function addLooking(schedules: Command, contextOf: ContextOf): void {
  schedules
    .command('list')
    .description('all of them, in the order in which they were made')
    .option('--database <name>', 'only of this database')
    .action(async ({ database }: { database?: string }, command: Command) => {
      const context = contextOf(command);
      print(context, await listSchedules(context.api, database), (rows) =>
        formatTable(
          ['SCHEDULE', 'WHEN', 'TIME ZONE', 'NEXT', 'LAST'],
          rows.map((row) => [
            `${row.database_name}/${row.name}`,
            whenOf(row),
            row.timezone,
            row.enabled ? row.next_run_at : 'off',
            row.last_status === null ? null : `${row.last_run_at} ${row.last_status}`,
          ]),
        ),
      );
    });
  schedules
    .command('show')
    .argument('<schedule>', SCHEDULE)
    .description('one of them')
    .action(async (word: string, _options: object, command: Command) => {
      const context = contextOf(command);
      print(context, await findSchedule(context.api, word), describeSchedule);
    });
}

function addMaking(schedules: Command, contextOf: ContextOf): void {
  addScheduleOptions(
    schedules
      .command('add <database>')
      .description('make one; its first run is its first time from now on')
      .option('--name <name>', 'unique in its database; default when left out')
      .option('--disabled', 'it does not run yet'),
  ).action(
    async (
      database: string,
      options: ScheduleOptions & { name?: string; disabled?: boolean },
      command: Command,
    ) => {
      const context = contextOf(command);
      const body = {
        database_id: database,
        ...(options.name === undefined ? {} : { name: options.name }),
        ...(options.disabled === true ? { enabled: false } : {}),
        ...toScheduleBody(options),
      };
      print(context, await context.api.send<ScheduleBody>('POST', '/schedules', {}, body), describeSchedule);
    },
  );
  addScheduleOptions(
    schedules
      .command('set')
      .argument('<schedule>', SCHEDULE)
      .description('change what is given; the rest stays')
      .option('--name <name>', 'another name'),
  ).action(async (word: string, options: ScheduleOptions & { name?: string }, command: Command) => {
    const body = {
      ...(options.name === undefined ? {} : { name: options.name }),
      ...toScheduleBody(options),
    };
    if (Object.keys(body).length === 0)
      throw new CliError(EXIT.usage, 'Nothing is to be changed: give an option.');
    await change(contextOf, command, word, body);
  });
}

function addSwitches(schedules: Command, contextOf: ContextOf): void {
  for (const [word, enabled, text] of [
    ['enable', true, 'let it run; what it left out meanwhile is not made up for'],
    ['disable', false, 'stop it; it stays as it is'],
  ] as const) {
    schedules
      .command(word)
      .argument('<schedule>', SCHEDULE)
      .description(text)
      .action(async (which: string, _options: object, command: Command) => {
        await change(contextOf, command, which, { enabled });
      });
  }
  schedules
    .command('remove')
    .argument('<schedule>', SCHEDULE)
    .description('remove it; the backups that it has made stay')
    .option('-y, --yes', 'do not ask')
    .action(async (word: string, { yes }: { yes?: boolean }, command: Command) => {
      const context = contextOf(command);
      const { id, database_name: database, name } = await findSchedule(context.api, word);
      await confirm(`Remove the schedule ${database}/${name}?`, yes === true);
      await context.api.send('DELETE', `/schedules/${id}`);
      print(context, { removed: id }, () => `${database}/${name} is removed; its backups stay.`);
    });
}

function addRun(schedules: Command, contextOf: ContextOf): void {
  schedules
    .command('run')
    .argument('<schedule>', SCHEDULE)
    .description('make its backup now; when it runs by itself does not change')
    .option('-w, --wait', 'wait for its end; exit code 1 when it fails')
    .option('--timeout <seconds>', 'the longest to wait', readSeconds, 3600)
    .action(
      async (word: string, { wait, timeout }: { wait?: boolean; timeout: number }, command: Command) => {
        const context = contextOf(command);
        const { id } = await findSchedule(context.api, word);
        const made = await context.api.send<BackupBody>('POST', `/schedules/${id}/run`);
        const shown =
          wait === true ? await waitFor<BackupBody>(context, `/backups/${made.id}`, timeout) : made;
        print(context, shown, describeBackup);
      },
    );
}

function addPreview(schedules: Command, contextOf: ContextOf): void {
  addTimeOptions(
    schedules
      .command('preview')
      .argument('[schedule]', `${SCHEDULE}; left out: what the options say, and nothing is saved`)
      .description('the next runs, with what daylight saving and blackouts do to them'),
  )
    .option('--count <number>', 'how many', readCount, 10)
    .action(
      async (word: string | undefined, options: ScheduleOptions & { count: number }, command: Command) => {
        const context = contextOf(command);
        const { count, ...times } = options;
        const trial = toScheduleBody(times);
        if ((word === undefined) === (Object.keys(trial).length === 0)) {
          throw new CliError(
            EXIT.usage,
            'Give either a schedule, or --cron or --every-hours for one to try out.',
          );
        }
        const firings =
          word === undefined
            ? await context.api.send<FiringBody[]>('POST', '/schedules/preview', {}, { ...trial, count })
            : await context.api.get<FiringBody[]>(
                `/schedules/${(await findSchedule(context.api, word)).id}/preview`,
                { count },
              );
        print(context, firings, (rows) =>
          formatTable(
            ['UTC', 'ON THE WALL', 'NOTE'],
            rows.map(({ at, local, note }) => [at, local.replace('T', ' '), note]),
          ),
        );
      },
    );
}

async function change(contextOf: ContextOf, command: Command, word: string, body: object): Promise<void> {
  const context = contextOf(command);
  const { id } = await findSchedule(context.api, word);
  print(
    context,
    await context.api.send<ScheduleBody>('PATCH', `/schedules/${id}`, {}, body),
    describeSchedule,
  );
}

/** All pages of them: a name must be found however many there are. */
async function listSchedules(api: ApiClient, database: string | undefined): Promise<ScheduleBody[]> {
  return api.getAll<ScheduleBody>('/schedules', { database_id: database });
}

/** By its id, or by its database and its name. */
async function findSchedule(api: ApiClient, word: string): Promise<ScheduleBody> {
  if (/^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(word)) return api.get<ScheduleBody>(`/schedules/${word}`);
  const [database = '', name = 'default'] = word.split('/');
  const found = (await listSchedules(api, database)).find((each) => each.name === name);
  if (found === undefined) {
    throw new CliError(EXIT.refused, `schedule-not-found: ${database} has no schedule called ${name}.`, {
      code: 'schedule-not-found',
      detail: `${database} has no schedule called ${name}.`,
    });
  }
  return found;
}

function whenOf({ cron, interval_hours: hours, from_environment: isDefault }: ScheduleBody): string {
  const when = cron ?? (hours === null ? '-' : `every ${hours} h`);
  return isDefault ? `${when} (the service's)` : when;
}

function describeSchedule(schedule: ScheduleBody): string {
  const { blackouts, retention } = schedule;
  const times = blackouts.map(
    ({ days, from, to }) => `${days === undefined ? '' : `${days.join(',')} `}${from}-${to}`,
  );
  const rules = Object.entries(retention ?? {}).map(([rule, value]) => `${rule} ${value ?? 'none'}`);
  const lines = [
    ['schedule', `${schedule.database_name}/${schedule.name}`],
    ['id', schedule.id],
    ['when', `${whenOf(schedule)}, ${schedule.timezone}`],
    ['runs', schedule.enabled ? `next at ${schedule.next_run_at ?? '-'}` : 'off'],
    [
      'last',
      schedule.last_run_at === null ? '-' : `${schedule.last_run_at} ${schedule.last_status ?? ''}`.trim(),
    ],
    ['missed', schedule.catch_up === 'run' ? 'the newest is made up for' : 'are left out'],
    ...(schedule.jitter_seconds === 0 ? [] : [['jitter', `up to ${schedule.jitter_seconds} s`]]),
    ...(times.length === 0 ? [] : [['blackouts', times.join('; ')]]),
    ...(rules.length === 0 ? [] : [['retention', rules.join(', ')]]),
  ];
  return lines.map(([name = '', value]) => `${name.padEnd(10)} ${value}`).join('\n');
}
