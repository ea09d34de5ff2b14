import { readFile } from 'node:fs/promises';

import type { Command } from 'commander';

import { CliError, EXIT } from './cli.errors.js';
import { type ContextOf, print } from './context.js';
import { askPassword, confirm, formatTable } from './terminal.js';

interface DatabaseBody {
  id: string;
  name: string;
  engine: string;
  host: string;
  port: number;
  database_name: string;
}

interface AddOptions {
  engine: string;
  host: string;
  port?: string;
  databaseName: string;
  username?: string;
  usernameVar?: string;
  passwordVar?: string;
  passwordFile?: string;
  password?: boolean;
}

/** `databases …`. */
export function addDatabaseCommands(program: Command, contextOf: ContextOf): void {
  const databases = program.command('databases').description('the databases that are backed up');
  databases
    .command('list')
    .description('registered databases, by name')
    .action(async (_options: object, command: Command) => {
      const context = contextOf(command);
      const found = await context.api.getAll<DatabaseBody>('/databases');
      print(context, found, (rows) =>
        formatTable(
          ['NAME', 'ENGINE', 'SERVER', 'DATABASE'],
          rows.map((row) => [row.name, row.engine, `${row.host}:${row.port}`, row.database_name]),
        ),
      );
    });
  addAdd(databases, contextOf);
  databases
    .command('test <name>')
    .description('connect as a backup would, and say what it would meet')
    .action(async (name: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const path = `/databases/${encodeURIComponent(name)}/test`;
      print(context, await context.api.send<object>('POST', path), (probe) => JSON.stringify(probe, null, 2));
    });
  databases
    .command('remove <name>')
    .description('forget a database; the database itself is not touched')
    .option('--delete-backups', 'delete its backups too')
    .option('-y, --yes', 'do not ask')
    .action(async (name: string, options: { deleteBackups?: boolean; yes?: boolean }, command: Command) => {
      const context = contextOf(command);
      const isDeleting = options.deleteBackups === true;
      const question = isDeleting ? `Remove ${name} and delete all of its backups?` : `Remove ${name}?`;
      await confirm(question, options.yes === true);
      const query = { backups: isDeleting ? 'delete' : 'keep' };
      await context.api.send('DELETE', `/databases/${encodeURIComponent(name)}`, query);
      print(
        context,
        { removed: name },
        () => `${name} is removed; its backups are ${isDeleting ? 'being deleted' : 'kept'}.`,
      );
    });
}

function addAdd(databases: Command, contextOf: ContextOf): void {
  databases
    .command('add <name>')
    .description(
      'register a database. A password is asked for, or read from a file: never written on the command line',
    )
    .requiredOption('--engine <kind>', 'postgres or mongodb')
    .requiredOption('--host <host>', 'its server')
    .option('--port <port>', "the engine's usual one when left out")
    .requiredOption('--database-name <name>', 'its name on the server')
    .option('--username <name>', 'user to connect as')
    .option('--username-var <variable>', "variable of the service's environment that holds the user")
    .option('--password', 'ask for the password, or read it from standard input')
    .option('--password-file <file>', 'read the password from a file, without the newline at its end')
    .option('--password-var <variable>', "variable of the service's environment that holds the password")
    .action(async (name: string, options: AddOptions, command: Command) => {
      const context = contextOf(command);
      const password = await readPassword(options);
      const added = await context.api.send<DatabaseBody>(
        'POST',
        '/databases',
        {},
        {
          name,
          engine: options.engine,
          host: options.host,
          ...(options.port === undefined ? {} : { port: Number(options.port) }),
          database_name: options.databaseName,
          ...(options.username === undefined ? {} : { username: options.username }),
          ...(options.usernameVar === undefined ? {} : { username_var: options.usernameVar }),
          ...(options.passwordVar === undefined ? {} : { password_var: options.passwordVar }),
          ...(password === undefined ? {} : { password }),
        },
      );
      print(
        context,
        added,
        ({ id }) => `${name} is registered as ${id}. Try it: backstop databases test ${name}`,
      );
    });
}

async function readPassword({ password, passwordFile }: AddOptions): Promise<string | undefined> {
  if (passwordFile !== undefined) return readPasswordFile(passwordFile);
  return password === true ? askPassword('Password: ') : undefined;
}

async function readPasswordFile(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(EXIT.usage, `--password-file cannot be read: ${why}`);
  }
}
