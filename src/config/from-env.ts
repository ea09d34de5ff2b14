import { resolve, delimiter } from 'node:path';

/** How a setting is read: its environment variable, and how the text becomes a value. */
export interface EnvBinding {
  property: string;
  name: string;
  parse: (text: string) => unknown;
  /** Its value is never shown, also not in the message that calls it wrong. */
  secret: boolean;
}

const bindings = new Map<object, EnvBinding[]>();

/**
 * Ties a property to its environment variable. `parse` never throws: what it cannot read it returns as a value that the
 * property's validators refuse, so that every complaint comes from one place.
 */
export function FromEnv(
  name: string,
  parse: (text: string) => unknown = asText,
  options: { secret?: boolean } = {},
): PropertyDecorator {
  return (target, property) => {
    const list = bindings.get(target) ?? [];
    list.push({ property: String(property), name, parse, secret: options.secret ?? false });
    bindings.set(target, list);
  };
}

/** All bindings of a class, in the order of its properties. */
export function envBindingsOf(type: { prototype: object }): readonly EnvBinding[] {
  return bindings.get(type.prototype) ?? [];
}

export function asText(text: string): string {
  return text;
}

/** Decimal digits only: `Number` alone would take '0x10', '1e3' and ' 5 '. */
export function asInteger(text: string): number {
  return /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
}

/** `true` or `false`; anything else stays a text, which the validators refuse. */
export function asBoolean(text: string): boolean | string {
  if (text === 'true') return true;
  return text === 'false' ? false : text;
}

/** A number that limits, or `none`. */
export function asLimit(text: string): number | null {
  return text === 'none' ? null : asInteger(text);
}

/** An absolute path, so that logs and answers mean the same place wherever they are read. */
export function asPath(text: string): string {
  return resolve(text);
}

/** A list like PATH: absolute folders with `:` between them. */
export function asPaths(text: string): string[] {
  return text.split(delimiter).filter(Boolean).map(asPath);
}

/** A list with commas; blanks around the words do not count. */
export function asList(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean);
}
