import { isReservedVariable } from '../config/environment.js';
import { faultsOfEdits, type FieldFault } from '../databases/database-faults.js';
import { ENGINE_LIST, type ListedEngine } from '../engines/engine-list.js';
import { ENGINE_KINDS } from '../engines/engine.js';
import { faultsOfSchedule } from '../scheduler/schedule-edits.js';
import { DEFAULT_SCHEDULE } from '../scheduler/schedule.entity.js';
import type { DatabaseDeclaration, Problem, ScheduleDeclaration } from './declaration.js';
import { type Fault, type FilePath, pathText } from './fault.js';

/** The rules that a database breaks by what the file says alone: those of the API, and those of a file. */
export function faultsOfDatabase({ path, name, engine, edits }: DatabaseDeclaration): Problem[] {
  const kind = ENGINE_KINDS.find((each) => each === engine);
  const engines = kind === undefined ? Object.values(ENGINE_LIST) : [ENGINE_LIST[kind]];
  const faults = [
    ...faultsOfEngine(engine, kind),
    ...faultsOfEdits({ ...edits, ...(name !== '' && { name }) }, engines),
    ...faultsOfSchedule(edits.schedule ?? {}, 'schedule'),
    ...faultsOfSecrets(edits.connection, engines),
  ];
  return faults.map((fault) => at(path, fault));
}

/** The same for a schedule. */
export function faultsOfScheduleEntry({ path, edits, name }: ScheduleDeclaration): Problem[] {
  const { name: _, ...others } = edits;
  return faultsOfSchedule(name === '' ? others : edits).map((fault) => at(path, fault));
}

/** What stands twice in the file, so that not both can count. */
export function faultsOfTwins(
  databases: readonly DatabaseDeclaration[],
  schedules: readonly ScheduleDeclaration[],
): Problem[] {
  const problems: Problem[] = [];
  const seen = new Map<string, DatabaseDeclaration>();
  for (const database of databases.filter(({ name }) => name !== '')) {
    const first = seen.get(database.name);
    if (first === undefined) seen.set(database.name, database);
    else problems.push(twin(database.path, database.name, first.path));
  }
  const known = new Map<string, FilePath>();
  for (const { path, name, database } of schedules.filter(
    (each) => each.name !== '' && each.database !== '',
  )) {
    const first = known.get(`${database} ${name}`);
    const shorthand = seen.get(database);
    if (first !== undefined) problems.push(twin(path, name, first));
    else if (name === DEFAULT_SCHEDULE && shorthand !== undefined && saysWhen(shorthand)) {
      const detail = `is the schedule that the fields of ${pathText(shorthand.path)} speak of already; say it in one place`;
      problems.push({ path: [...path, 'name'], detail });
    }
    known.set(`${database} ${name}`, path);
  }
  return problems;
}

function twin(path: FilePath, name: string, first: FilePath): Problem {
  return {
    path: [...path, 'name'],
    detail: `${JSON.stringify(name)} is the name of ${pathText(first)} already`,
  };
}

function saysWhen({ edits }: DatabaseDeclaration): boolean {
  return Object.values(edits.schedule ?? {}).some((edit) => edit !== undefined);
}

function faultsOfEngine(engine: string | undefined, kind: string | undefined): FieldFault[] {
  if (engine === undefined || kind !== undefined) return [];
  return [
    {
      field: 'engine',
      detail: `there is no engine ${JSON.stringify(engine)}; known: ${ENGINE_KINDS.join(', ')}`,
    },
  ];
}

function faultsOfSecrets(
  { uri, usernameVar, passwordVar }: DatabaseDeclaration['edits']['connection'],
  engines: readonly ListedEngine[],
): FieldFault[] {
  const faults: FieldFault[] = [];
  if (typeof uri === 'string' && engines.some((engine) => passwordIn(uri, engine))) {
    const detail =
      'holds a password, and no secret stands in this file: take it out of the uri, and give password_var, the name of an ' +
      'environment variable that holds it';
    faults.push({ field: 'uri', detail });
  }
  for (const [field, variable] of [
    ['username_var', usernameVar],
    ['password_var', passwordVar],
  ] as const) {
    if (typeof variable !== 'string' || !isReservedVariable(variable)) continue;
    faults.push({
      field,
      detail: `${variable} is one of Backstop's own settings and is never sent to a database`,
    });
  }
  return faults;
}

function passwordIn(uri: string, engine: ListedEngine): boolean {
  try {
    return engine.readUri(uri).password !== undefined;
  } catch {
    // That it is no URI of this engine is said by the rules of the uri.
    return false;
  }
}

/** The path of a fault in the file. */
export function at(path: FilePath, { field, detail }: FieldFault): Problem {
  return { path: field === '' ? path : [...path, ...field.split('.')], detail };
}

/** With the line of its path, where the file has one. */
export function toFileFault(
  { path, detail }: Problem,
  lineOf: (path: FilePath) => number | undefined,
): Fault {
  const line = lineOf(path);
  return { path: pathText(path), detail, ...(line !== undefined && { line }) };
}
