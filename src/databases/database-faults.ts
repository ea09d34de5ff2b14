import type { TlsChoice } from '../engines/engine.js';
import { DomainError } from '../errors/domain-error.js';
import { type ConnectedEngine, type ConnectionFields, readConnection } from './connection-changes.js';
import { checkName } from './connection-rules.js';
import type { DatabaseEdits } from './database-edits.js';
import { checkOptions, mergeOptions, type OptionChanges } from './database-options.js';
import { mergeRetention, type RetentionChanges, RULES } from './retention-policy.js';
import { checkTls, DEFAULT_TLS } from './tls-rules.js';

/** A rule that is broken, and by which field. */
export interface FieldFault {
  /** In the words of the API, `options.format` for one inside of another; empty: no single one is to blame. */
  field: string;
  /** A sentence without a secret. */
  detail: string;
}

/** Fields in the words of the API. */
const CONNECTION: readonly [keyof ConnectionFields, string][] = [
  ['uri', 'uri'],
  ['host', 'host'],
  ['port', 'port'],
  ['databaseName', 'database_name'],
  ['username', 'username'],
  ['usernameVar', 'username_var'],
  ['password', 'password'],
  ['passwordVar', 'password_var'],
];
/**
 * Every rule that the edits break by themselves, whatever the database is now, where `editDatabase` stops at the first. Each field is
 * tried alone; those that pass are tried together. What depends on the row and on the default schedule is not looked at.
 *
 * @param engines those that the database may have; a fault is what all of them refuse
 */
export function faultsOfEdits(edits: DatabaseEdits, engines: readonly ConnectedEngine[]): FieldFault[] {
  return [
    ...faultsOfName(edits.name),
    ...faultsOfConnection(edits, engines),
    ...faultsOfTls(edits),
    ...faultsOfOptions(edits.options, engines),
    ...faultsOfRetention(edits.retention ?? {}),
  ];
}

function faultsOfName(name: string | undefined): FieldFault[] {
  return name === undefined ? [] : faultOf(() => checkName(name), 'name');
}

function faultsOfConnection(
  { connection, tls }: DatabaseEdits,
  engines: readonly ConnectedEngine[],
): FieldFault[] {
  const given = CONNECTION.filter(([key]) => connection[key] !== undefined && connection[key] !== null);
  const parameters = Object.entries(connection.parameters ?? {});
  const single = [
    ...given.flatMap(([key, field]) =>
      faultOfAll(engines, (engine) => readConnection({ [key]: connection[key] }, engine), field),
    ),
    ...parameters.flatMap(([name, value]) =>
      faultOfAll(engines, (engine) => readConnection({ parameters: { [name]: value } }, engine)),
    ),
  ];
  if (single.length > 0) return single;
  const whole: ConnectionFields = { ...connection, ...(tls.mode && { tlsMode: tls.mode }) };
  return faultOfAll(engines, (engine) => readConnection(whole, engine));
}

/** Whether a key is stored for `cert` is not known here. */
function faultsOfTls({ tls: { mode, ca, key, cert } }: DatabaseEdits): FieldFault[] {
  const own: TlsChoice = {
    mode: mode ?? DEFAULT_TLS.mode,
    ...(ca && { ca }),
    ...(cert && key && { cert, key }),
  };
  return faultOf(() => checkTls(own));
}

function faultsOfOptions(options: OptionChanges, engines: readonly ConnectedEngine[]): FieldFault[] {
  const check = (changes: OptionChanges): FieldFault[] =>
    faultOfAll(engines, (engine) => checkOptions(mergeOptions({}, changes), engine.traits));
  const single = Object.entries(options).flatMap(([option, value]) => check({ [option]: value }));
  return single.length > 0 ? single : check(options);
}

/** Of a policy, whatever was set before. */
export function faultsOfRetention(changes: RetentionChanges): FieldFault[] {
  const check = (some: RetentionChanges): FieldFault[] => faultOf(() => mergeRetention({}, some));
  const single = RULES.flatMap((rule) => check({ [rule]: changes[rule] }));
  return single.length > 0 ? single : check(changes);
}

/** What every engine refuses, in the words of the first. */
function faultOfAll(
  engines: readonly ConnectedEngine[],
  check: (engine: ConnectedEngine) => unknown,
  field?: string,
): FieldFault[] {
  const found = engines.map((engine) => faultOf(() => check(engine), field));
  return found.every((faults) => faults.length > 0) ? (found[0] ?? []) : [];
}

/**
 * What `check` throws, as a fault; nothing when it passes.
 *
 * @param field where the error itself does not name one
 */
export function faultOf(check: () => unknown, field = ''): FieldFault[] {
  try {
    check();
    return [];
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return [toFault(error, field)];
  }
}

/** What a field is inside of, for errors whose facts name it without. */
const AROUND: Record<string, string> = {
  'tls-invalid': 'tls.',
  'options-invalid': 'options.',
  'connection-parameter-invalid': 'parameters.',
};

/** @param field where the error itself does not name one */
export function toFault({ code, message, facts }: DomainError, field = ''): FieldFault {
  const named = facts['field'] ?? facts['option'] ?? facts['parameter'];
  if (typeof named !== 'string') return { field, detail: message };
  // Some sentences begin with the field, which the path says already.
  return { field: `${AROUND[code] ?? ''}${named}`, detail: message.replace(`${named}: `, '') };
}
