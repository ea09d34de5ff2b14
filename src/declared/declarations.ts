import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';

import { toDatabaseUpdate } from '../databases/dto/database-changes.dto.js';
import { toFieldProblems } from '../http/validation.js';
import { toScheduleEdits } from '../scheduler/dto/schedule-fields.dto.js';
import type { DatabaseDeclaration, Declarations, Problem, ScheduleDeclaration } from './declaration.js';
import { faultsOfDatabase, faultsOfScheduleEntry, faultsOfTwins, toFileFault } from './declaration-faults.js';
import { ConfigFileBody, type DeclaredDatabase, type DeclaredSchedule } from './dto/config-file.dto.js';
import { type FilePath, inOrder } from './fault.js';
import { fieldReason } from './field-reasons.js';
import { readYaml } from './yaml-reader.js';

const VALIDATION = {
  whitelist: true,
  forbidNonWhitelisted: true,
  forbidUnknownValues: true,
  // The value tells a field that is missing from one that is wrong; it is never told itself, as it may be a secret.
  validationError: { target: false },
} as const;

/** Reads the text of the file, checks it as a whole, and gives every fault. */
export function readDeclarations(text: string): Declarations {
  const { value, faults, lineOf } = readYaml(text);
  const nothing = { databases: [], schedules: [], lineOf };
  // An empty file says nothing, and one that cannot be read has said so.
  if (value === null || value === undefined) return { ...nothing, faults };
  if (typeof value !== 'object' || Array.isArray(value)) {
    return {
      ...nothing,
      faults: [...faults, { path: '', detail: 'must be a map with databases: and schedules:' }],
    };
  }
  const body = plainToInstance(ConfigFileBody, value);
  const shape = toFieldProblems(validateSync(body, VALIDATION))
    .map(({ pointer, detail }) => toProblem(value, pointer, detail))
    // Of a section that is no list nothing more is to be said.
    .filter(({ path: [, item] }) => item === undefined || typeof item === 'number');
  const databases = itemsOf(body.databases).map(([fields, index]) =>
    toDatabaseDeclaration(fields, ['databases', index], shape),
  );
  const schedules = itemsOf(body.schedules).map(([fields, index]) =>
    toScheduleDeclaration(fields, ['schedules', index], shape),
  );
  const rules = [
    ...databases.flatMap(faultsOfDatabase),
    ...schedules.flatMap(faultsOfScheduleEntry),
    ...faultsOfTwins(databases, schedules),
  ];
  const problems = [...shape, ...rules];
  return {
    databases: databases.map((each) => ({ ...each, isFaulty: isBelow(problems, each.path) })),
    schedules: schedules.map((each) => ({ ...each, isFaulty: isBelow(problems, each.path) })),
    faults: inOrder([...faults, ...problems.map((problem) => toFileFault(problem, lineOf))]),
    lineOf,
  };
}

/** Whether one of the problems is about what lies at the path. */
function isBelow(problems: readonly Problem[], path: FilePath): boolean {
  return problems.some((problem) => path.every((step, at) => problem.path[at] === step));
}

/** The maps among the items of a section, with their places; of anything else the shape says that it is none. */
function itemsOf<Fields extends object>(section: Fields[] | null | undefined): [Fields, number][] {
  if (!Array.isArray(section)) return [];
  return section.flatMap((item, index): [Fields, number][] => (isMap(item) ? [[item, index]] : []));
}

function toDatabaseDeclaration(
  fields: DeclaredDatabase,
  path: FilePath,
  problems: readonly Problem[],
): DatabaseDeclaration {
  const good = withoutWrong(fields, path, problems);
  // An entry whose name is missing or wrong in its shape is nobody's.
  const { name = '', engine } = good;
  const { name: _, ...edits } = toDatabaseUpdate({ ...good, ...(name !== '' && { name }) });
  return { path, name, engine, isFaulty: false, edits };
}

function toScheduleDeclaration(
  fields: DeclaredSchedule,
  path: FilePath,
  problems: readonly Problem[],
): ScheduleDeclaration {
  const good = withoutWrong(fields, path, problems);
  const { name = '', database_id: database = '' } = good;
  return { path, name, database, isFaulty: false, edits: { ...toScheduleEdits({ ...good, name }), name } };
}

/** The fields that have the right shape: what is wrong of the others is said, and their rules are still to be asked. */
function withoutWrong<Fields extends object>(
  fields: Fields,
  path: FilePath,
  problems: readonly Problem[],
): Partial<Fields> {
  const own = problems.filter((problem) => path.every((step, at) => problem.path[at] === step));
  const good: Partial<Fields> = {};
  for (const [field, value] of new Map<string, unknown>(Object.entries(fields))) {
    const below = own.filter((problem) => problem.path[path.length] === field);
    if (below.length === 0) Object.assign(good, { [field]: value });
    // One wrong option leaves the others to be looked at.
    else if (below.every((problem) => problem.path.length > path.length + 1) && isMap(value)) {
      Object.assign(good, { [field]: withoutWrong(value, [...path, field], problems) });
    }
  }
  return good;
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** From a pointer of the validation, `/databases/1/port`. Numbers stand for items in this file; no field is called so. */
function toProblem(value: unknown, pointer: string, detail: string): Problem {
  const steps = pointer.split('/').slice(1);
  const words = steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const path = words.map((word) => (/^\d+$/.test(word) ? Number(word) : word));
  if (detail === 'is not a known field') return { path, detail: fieldReason(path) ?? detail };
  return { path, detail: isThere(value, path) ? inOwnWords(detail, words.at(-1) ?? '') : 'is missing' };
}

function isThere(value: unknown, [step, ...rest]: FilePath): boolean {
  if (step === undefined) return true;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return false;
  return isThere(Object.entries(value).find(([key]) => key === String(step))?.[1], rest);
}

/** The validator's sentences begin with the field, which the path says already, and some speak to programmers. */
function inOwnWords(detail: string, field: string): string {
  if (/nested property .* must be either object or array$/.test(detail)) return 'must be a map of fields';
  return detail
    .replace(`each value in ${field} `, 'each value ')
    .replace(`${field} `, '')
    .replace(' conforming to the specified constraints', '')
    .replace('must be an array', 'must be a list');
}
