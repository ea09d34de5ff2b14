import { readFileSync } from 'node:fs';

import { Injectable } from '@nestjs/common';

import { VariableReservedError, VariableUnreadableError } from './config.errors.js';

/** Variables by name, as the operating system gives them. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** What a child process may know of our environment; everything else could be a secret. */
const PASSED_TO_CHILDREN = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ'] as const;

/** Names that a caller of the API must not be able to send to a server of his choice as a "password". */
const RESERVED = /^(BACKSTOP_|DATABASE_URL$|DATABASE_URL_FILE$)/;

/** Whether it is one of Backstop's own secrets, which no database is ever sent. */
export function isReservedVariable(name: string): boolean {
  return RESERVED.test(name);
}

/** The process's own variables. The only line of Backstop that reads them. */
export function processVariables(): Variables {
  return process.env;
}

/**
 * The value of a variable, given directly or as the name of a file that holds it (`NAME_FILE`, as container secrets are
 * given). An empty variable counts as absent, because Compose files pass `NAME=` for "not set". Of a file the trailing
 * newline is not part of the value. Throws {@link VariableUnreadableError} when both are given or the file cannot be read.
 */
export function readVariable(variables: Variables, name: string): string | undefined {
  const direct = variables[name] || undefined;
  const path = variables[`${name}_FILE`] || undefined;
  if (path === undefined) return direct;
  if (direct !== undefined) {
    throw new VariableUnreadableError(name, `${name} and ${name}_FILE are both set; keep one of them`);
  }
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new VariableUnreadableError(
      name,
      `${name}_FILE names the file ${path}, which cannot be read (${reason})`,
    );
  }
}

/** The environment for those who need a variable that is not a setting: credentials by name, and child processes. */
@Injectable()
export class Environment {
  readonly #variables: Variables;

  constructor(variables: Variables) {
    this.#variables = variables;
  }

  /**
   * The value of `name` or of the file that `name_FILE` names; `undefined` when neither is set. Read anew at each call, so
   * that a rotated secret file counts at once. Throws `variable-unreadable`, or `variable-reserved` for our own secrets.
   */
  get(name: string): string | undefined {
    if (isReservedVariable(name)) throw new VariableReservedError(name);
    return readVariable(this.#variables, name);
  }

  /** The base environment of every child process: where programs are and how they speak, and no secret. */
  forChildren(): Record<string, string> {
    const base: Record<string, string> = {};
    for (const name of PASSED_TO_CHILDREN) {
      const value = this.#variables[name];
      if (value !== undefined) base[name] = value;
    }
    return base;
  }
}
