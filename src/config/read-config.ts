import { validateSync, type ValidationError } from 'class-validator';

import { Config, defaultSecretKeyPath } from './config.js';
import { ConfigInvalidError, type ConfigProblem, VariableUnreadableError } from './config.errors.js';
import { readVariable, type Variables } from './environment.js';
import { workFolderOf } from './work-folder.js';
import { type EnvBinding, envBindingsOf } from './from-env.js';

/**
 * The configuration that `variables` describe, checked and frozen. Throws one {@link ConfigInvalidError} that lists every
 * problem by the name of its variable.
 */
export function readConfig(variables: Variables): Config {
  const problems: ConfigProblem[] = [];
  const config = new Config();
  const values: Record<string, unknown> = {};
  const given = new Map<string, string>();
  for (const binding of envBindingsOf(Config)) {
    const text = readOrReport(variables, binding.name, problems);
    if (text === undefined) continue;
    given.set(binding.property, text);
    values[binding.property] = binding.parse(text);
  }
  if (given.has('databasePath') && given.has('databaseUrl')) {
    problems.push({ name: 'DATABASE_URL', detail: 'and DATABASE_PATH are both set; keep one of them' });
  }
  if (given.has('backupSchedule') && given.has('backupIntervalHours')) {
    problems.push({
      name: 'BACKUP_INTERVAL_HOURS',
      detail: 'and BACKUP_SCHEDULE are both set; keep one of them',
    });
  }
  Object.assign(config, values);
  Object.assign(config, derived(config));
  for (const error of validateSync(config)) {
    const binding = envBindingsOf(Config).find(({ property }) => property === error.property);
    if (binding) problems.push(toProblem(binding, error, given.get(binding.property)));
  }
  if (problems.length > 0) throw new ConfigInvalidError(problems);
  for (const value of Object.values(config)) Object.freeze(value);
  return Object.freeze(config);
}

/** Settings whose value depends on others. */
function derived(config: Config): Partial<Config> {
  return {
    secretKeyPath:
      config.secretKeyPath === '' ? defaultSecretKeyPath(config.databasePath) : config.secretKeyPath,
    workDir: workFolderOf(config.workDir, config.databaseUrl ?? config.databasePath),
  };
}

function readOrReport(variables: Variables, name: string, problems: ConfigProblem[]): string | undefined {
  try {
    return readVariable(variables, name);
  } catch (error) {
    if (!(error instanceof VariableUnreadableError)) throw error;
    problems.push({ name, detail: `cannot be read: ${error.message}` });
    return undefined;
  }
}

function toProblem(binding: EnvBinding, error: ValidationError, text: string | undefined): ConfigProblem {
  const wishes = Object.values(error.constraints ?? {}).map((message) =>
    // class-validator begins its sentences with the property; here the variable's name stands in front.
    message.replace(`each value in ${error.property} `, '').replace(`${error.property} `, ''),
  );
  const got = binding.secret || text === undefined ? '' : `, not ${JSON.stringify(text)}`;
  return { name: binding.name, detail: `${wishes.join(' and ')}${got}` };
}
