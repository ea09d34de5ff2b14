import type { Command } from 'commander';

import { type ContextOf, print } from './context.js';
import { readSeconds, waitFor, type Work } from './waiting.js';

/** What is shown of a verification. */
interface VerificationBody extends Work {
  backup_id: string;
  database_name: string;
  level: string;
  level_reached: string | null;
  outcome: string | null;
  duration_seconds: number | null;
}

interface VerifyOptions {
  level?: string;
  wait?: boolean;
  timeout: number;
}

/** `backups verify BACKUP`: reads what is stored of a backup again. */
export function addVerifyCommand(backups: Command, contextOf: ContextOf): void {
  backups
    .command('verify <backup>')
    .description('read a backup, by file name or id, from its destination again and say whether it is good')
    .option('--level <level>', 'intact: its bytes; readable: and the engine reads it to its end', 'readable')
    .option('-w, --wait', 'wait for its end; exit code 1 when it does not pass')
    .option('--timeout <seconds>', 'the longest to wait', readSeconds, 3600)
    .action(async (backup: string, { level, wait, timeout }: VerifyOptions, command: Command) => {
      const context = contextOf(command);
      const path = `/backups/${encodeURIComponent(backup)}/verify`;
      const asked = await context.api.send<VerificationBody>('POST', path, {}, { level });
      const shown =
        wait === true
          ? await waitFor<VerificationBody>(context, `/verifications/${asked.id}`, timeout)
          : asked;
      print(context, shown, describe);
    });
}

function describe(verification: VerificationBody): string {
  const { id, backup_id, database_name, status, level, level_reached, outcome } = verification;
  const seconds = verification.duration_seconds;
  const lines = [
    ['id', id],
    ['backup', `${backup_id} of ${database_name}`],
    ['status', outcome === null ? status : `${status}: ${outcome}`],
    ['level', level_reached ?? `${level} (asked for)`],
    ...(seconds === null ? [] : [['took', `${seconds} s`]]),
  ];
  return lines.map(([name = '', value]) => `${name.padEnd(9)} ${value}`).join('\n');
}
