import type { Command } from 'commander';

import { type Clock } from '../clock/clock.js';
import { ApiClient } from './api-client.js';
import { say } from './terminal.js';

/** What every command has: the service, and how results are to look. */
export interface Context {
  api: ApiClient;
  json: boolean;
  clock: Clock;
}

/** Gives the context of the command that runs. */
export type ContextOf = (command: Command) => Context;

/** Prints a result: as JSON when that is asked for, else as a person reads it. */
export function print<T>({ json }: Context, value: T, toText: (value: T) => string): void {
  say(json ? JSON.stringify(value, null, 2) : toText(value));
}
