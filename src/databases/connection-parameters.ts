import type { ConnectionParameter, ConnectionParameters } from '../engines/engine.js';
import { ConnectionParameterInvalidError } from './databases.errors.js';

/** Changes to parameters: a text replaces, `null` takes away, what is absent stays. */
export type ParameterChanges = Readonly<Record<string, string | null>>;

/**
 * Checks parameters by the rules that the engine gives for them.
 *
 * @throws ConnectionParameterInvalidError for the first that would not be obeyed
 */
export function checkParameters(
  changes: ParameterChanges | null | undefined,
  known: readonly ConnectionParameter[],
): void {
  for (const [name, value] of Object.entries(changes ?? {})) {
    const parameter = known.find((one) => one.name === name);
    if (parameter === undefined) {
      const names = known.map((one) => one.name).join(', ');
      throw new ConnectionParameterInvalidError(
        name,
        names === '' ? 'is not known: this engine has none' : `is not known; this engine has ${names}`,
      );
    }
    // The request's types are promises of whoever wrote it.
    if (value !== null && (typeof value !== 'string' || !parameter.rule.pattern.test(value))) {
      throw new ConnectionParameterInvalidError(name, parameter.rule.words);
    }
  }
}

/** Gives `stored` with the changes made; `null` takes all away. */
export function mergeParameters(
  stored: ConnectionParameters,
  changes: ParameterChanges | null | undefined,
): ConnectionParameters {
  if (changes === null) return {};
  const merged = Object.entries({ ...stored, ...changes });
  return Object.fromEntries(merged.filter((entry): entry is [string, string] => entry[1] !== null));
}

/** What stays when the server is another one: parameters that say where the old one was do not. */
export function withoutAddress(
  parameters: ConnectionParameters,
  known: readonly ConnectionParameter[],
): ConnectionParameters {
  const addresses = known.filter(({ isAddress }) => isAddress).map(({ name }) => name);
  return Object.fromEntries(Object.entries(parameters).filter(([name]) => !addresses.includes(name)));
}
