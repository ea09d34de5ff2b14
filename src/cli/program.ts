import { Command, CommanderError } from 'commander';

import { SystemClock } from '../clock/system-clock.js';
import { processVariables, readVariable } from '../config/environment.js';
import { SERVICE_VERSION } from '../http/service-version.js';
import { ApiClient } from './api-client.js';
import { addBackupCommands } from './backup-commands.js';
import { CliError, EXIT, type ExitCode } from './cli.errors.js';
import { addCompletionCommand } from './completion.js';
import { addConfigCommand } from './config-command.js';
import type { Context } from './context.js';
import { addDatabaseCommands } from './database-commands.js';
import { addOverviewCommands } from './overview-commands.js';
import { addRestoreCommand } from './restore-command.js';
import { addScheduleCommands } from './schedule-commands.js';
import { say, tell } from './terminal.js';

const DEFAULT_URL = 'http://localhost:8000';

/** The command line. Gives the exit code; see `EXIT`. */
export async function runCli(argv: readonly string[]): Promise<ExitCode> {
  const program = makeProgram();
  try {
    await program.parseAsync([...argv]);
    return EXIT.ok;
  } catch (error) {
    // Commander has said already what is wrong; its help ends here too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (!(error instanceof CliError)) {
      tell(error instanceof Error ? (error.stack ?? error.message) : String(error));
      return EXIT.unexpected;
    }
    if (isJson(program) && error.problem !== undefined) say(JSON.stringify(error.problem, null, 2));
    else tell(error.message);
    return error.exitCode;
  }
}

function makeProgram(): Command {
  const program = new Command('backstop')
    .description('Database backups that are proven to restore.')
    .version(SERVICE_VERSION)
    .option('--json', 'print what the service answers, for programs')
    .option('--url <url>', `where the service is; BACKSTOP_URL, or ${DEFAULT_URL}, when left out`)
    .exitOverride();
  const contextOf = (command: Command): Context => toContext(command);
  addOverviewCommands(program, contextOf);
  addDatabaseCommands(program, contextOf);
  addBackupCommands(program, contextOf);
  addRestoreCommand(program, contextOf);
  addScheduleCommands(program, contextOf);
  addConfigCommand(program, contextOf);
  addCompletionCommand(program);
  for (const command of everyCommand(program)) command.exitOverride();
  return program;
}

function everyCommand(command: Command): Command[] {
  return command.commands.flatMap((each) => [each, ...everyCommand(each)]);
}

function isJson(program: Command): boolean {
  return program.opts<{ json?: boolean }>().json === true;
}

function toContext(command: Command): Context {
  const { json = false, url } = command.optsWithGlobals<{ json?: boolean; url?: string }>();
  const variables = processVariables();
  const place = url ?? readVariable(variables, 'BACKSTOP_URL') ?? DEFAULT_URL;
  if (!URL.canParse(place)) throw new CliError(EXIT.usage, `${place} is not a URL such as ${DEFAULT_URL}.`);
  return {
    api: new ApiClient({
      url: place.replace(/\/+$/, ''),
      token: readVariable(variables, 'BACKSTOP_TOKEN'),
    }),
    json,
    clock: new SystemClock(),
  };
}
