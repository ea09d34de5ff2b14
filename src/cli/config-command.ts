import { resolve } from 'node:path';

import type { Command } from 'commander';

import { type Fault, faultText } from '../declared/fault.js';
import { DomainError } from '../errors/domain-error.js';
import { CliError, EXIT } from './cli.errors.js';
import { type ContextOf, print } from './context.js';
import { formatCount } from './terminal.js';

/** What `config check --json` prints. */
interface Checked {
  ok: boolean;
  file: string;
  databases: number;
  schedules: number;
  faults: Fault[];
  /** What only the service can say. */
  not_checked: string[];
}

/** `config check FILE`: no service is asked. */
export function addConfigCommand(program: Command, contextOf: ContextOf): void {
  program
    .command('config')
    .description('the file that declares databases and schedules')
    .command('check <file>')
    .description(
      'check the file as the service does at its start, without a service; exit code 1 when it has faults',
    )
    .action(async (file: string, _options: object, command: Command) => {
      const checked = await check(resolve(file));
      if (!checked.ok) throw new CliError(EXIT.workFailed, describeFaults(checked), checked);
      print(contextOf(command), checked, describeGood);
    });
}

/** The service's own check, loaded only here: no other command pays for it. */
async function check(path: string): Promise<Checked> {
  await import('reflect-metadata');
  const { readConfigText } = await import('../declared/config-text.js');
  const { readDeclarations } = await import('../declared/declarations.js');
  const { offlineNotes } = await import('../declared/offline-notes.js');
  const text = await readConfigText(path).catch((error: unknown) => {
    throw error instanceof DomainError ? unreadable(error) : error;
  });
  if (text === undefined) throw new CliError(EXIT.usage, `There is no file ${path}.`);
  const declarations = readDeclarations(text);
  const { databases, schedules, faults } = declarations;
  return {
    ok: faults.length === 0,
    file: path,
    databases: databases.length,
    schedules: schedules.length,
    faults,
    not_checked: offlineNotes(declarations),
  };
}

function unreadable({ code, message, facts }: DomainError): CliError {
  return new CliError(EXIT.workFailed, `${code}: ${message}`, { code, detail: message, facts });
}

function describeFaults({ file, faults }: Checked): string {
  return [
    `${file} has ${formatCount(faults.length, 'fault')}:`,
    ...faults.map((fault) => `  ${faultText(fault)}`),
  ].join('\n');
}

function describeGood({ file, databases, schedules, not_checked: open }: Checked): string {
  const what = `${formatCount(databases, 'database')}, ${formatCount(schedules, 'schedule')}`;
  return [
    `${file} has no fault: ${what}.`,
    ...(open.length === 0 ? [] : ['Not checked without the service:', ...open.map((note) => `  ${note}`)]),
  ].join('\n');
}
