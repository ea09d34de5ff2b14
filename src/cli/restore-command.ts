import { type Command, Option } from 'commander';

import type { ApiClient } from './api-client.js';
import { type ContextOf, print } from './context.js';
import { confirm } from './terminal.js';
import { readSeconds, waitFor, type Work } from './waiting.js';

interface RestoreBody extends Work {
  target: { database_name: string; host: string };
  kept_as: string | null;
}

interface RestoreOptions {
  database?: string;
  name?: string;
  replace?: boolean;
  tables?: string;
  yes?: boolean;
  wait: boolean;
  timeout: number;
}

/** `restore FILE`: beside the old database unless `--replace` says otherwise. */
export function addRestoreCommand(program: Command, contextOf: ContextOf): void {
  program
    .command('restore <backup>')
    .description('load a backup, by file name or id, into a new database beside the old one')
    .option(
      '--database <name>',
      "registered database whose server it goes to; the backup's own when left out",
    )
    .addOption(new Option('--name <name>', 'name of the new database on its server').conflicts('replace'))
    .option('--replace', 'put it in the place of the old database, after a safety backup and a comparison')
    .option('--tables <names>', 'only these tables or collections, with commas between them')
    .option('-y, --yes', 'do not ask before a replacement')
    .option('--no-wait', 'do not wait for its end')
    .option('--timeout <seconds>', 'the longest to wait', readSeconds, 3600)
    .action(async (backup: string, options: RestoreOptions, command: Command) => {
      const context = contextOf(command);
      const path = `/backups/${encodeURIComponent(backup)}`;
      const replaced = options.replace === true ? await replacedBy(context.api, path, options) : undefined;
      if (replaced !== undefined)
        await confirm(`Replace the database ${replaced.name}?`, options.yes === true);
      const asked = await context.api.send<RestoreBody>(
        'POST',
        `${path}/restore`,
        {},
        {
          ...targetOf({ ...options, database: replaced?.id ?? options.database }),
          ...(replaced === undefined ? {} : { mode: 'replace', confirm: replaced.name }),
          ...(options.tables === undefined ? {} : { tables: options.tables.split(',') }),
        },
      );
      const shown = options.wait
        ? await waitFor<RestoreBody>(context, `/restores/${asked.id}`, options.timeout)
        : asked;
      print(context, shown, ({ id, status, target, kept_as }) =>
        [
          `${id} ${status}: database ${target.database_name} on ${target.host}`,
          ...(kept_as === null ? [] : [`the old one is kept as ${kept_as}`]),
        ].join('\n'),
      );
    });
}

function targetOf({ database, name }: { database: string | undefined; name?: string }): object {
  if (database === undefined && name === undefined) return {};
  return {
    target: {
      ...(database === undefined ? {} : { database_id: database }),
      ...(name === undefined ? {} : { database_name: name }),
    },
  };
}

/** The database that would be replaced; the service asks for the name of its registration to be sure. */
async function replacedBy(
  api: ApiClient,
  path: string,
  { database }: RestoreOptions,
): Promise<{ id: string; name: string }> {
  const id = database ?? (await api.get<{ database_id: string }>(path)).database_id;
  return api.get<{ id: string; name: string }>(`/databases/${encodeURIComponent(id)}`);
}
