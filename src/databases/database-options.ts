import type { Compression } from '../archive/manifest.js';
import type { DumpFormat, EngineTraits } from '../engines/engine.js';
import { OptionsInvalidError } from './databases.errors.js';

/** How a database is backed up, as far as its owner said so. Stored as JSON. */
export interface DatabaseOptions {
  format?: DumpFormat;
  compression?: Compression;
  compressionLevel?: number;
  includeTables?: string[];
  excludeTables?: string[];
  schemas?: string[];
  /** What makes the dump, where the engine has a choice. */
  tool?: string;
  includeRoles?: boolean;
  hashContent?: boolean;
  /** The longest that one attempt may take; absent: the service's setting. */
  timeoutSeconds?: number;
  /** The longest time without a byte; absent: the service's setting. */
  stallSeconds?: number;
}

/** The options that a backup made now would use. */
export type EffectiveOptions = Required<
  Omit<DatabaseOptions, 'compressionLevel' | 'timeoutSeconds' | 'stallSeconds' | 'tool'>
> &
  Pick<DatabaseOptions, 'compressionLevel' | 'timeoutSeconds' | 'stallSeconds' | 'tool'>;

interface LevelRange {
  min: number;
  max: number;
  usual: number;
}

/** Of the formats zstd and gzip themselves; 3 is as small as pg_dump's own default gzip and about three times faster. */
const LEVELS: Record<Compression, LevelRange | undefined> = {
  zstd: { min: 1, max: 22, usual: 3 },
  gzip: { min: 1, max: 9, usual: 6 },
  none: undefined,
};
const DEFAULT_COMPRESSION: Compression = 'zstd';
const MAX_LIST_LENGTH = 1000;
const MAX_SECONDS = 30 * 86_400;

/** Fills in the defaults. */
export function effectiveOptions(options: DatabaseOptions, traits: EngineTraits): EffectiveOptions {
  const compression = options.compression ?? DEFAULT_COMPRESSION;
  const compressionLevel = options.compressionLevel ?? LEVELS[compression]?.usual;
  return {
    format: options.format ?? traits.defaultFormat,
    compression,
    ...(compressionLevel !== undefined && { compressionLevel }),
    includeTables: options.includeTables ?? [],
    excludeTables: options.excludeTables ?? [],
    schemas: options.schemas ?? [],
    includeRoles: options.includeRoles ?? false,
    hashContent: options.hashContent ?? false,
    ...((options.tool ?? traits.dumpTools[0]) !== undefined && { tool: options.tool ?? traits.dumpTools[0] }),
    ...(options.timeoutSeconds !== undefined && { timeoutSeconds: options.timeoutSeconds }),
    ...(options.stallSeconds !== undefined && { stallSeconds: options.stallSeconds }),
  };
}

/** Changes to options: a value replaces, `null` goes back to the default, what is absent stays. */
export type OptionChanges = { [K in keyof DatabaseOptions]?: DatabaseOptions[K] | null };

/** Gives `options` with the changes made. A level belongs to its compression and goes with it. */
export function mergeOptions(options: DatabaseOptions, changes: OptionChanges): DatabaseOptions {
  const keepsLevel = changes.compression === undefined || changes.compression === options.compression;
  const kept = Object.entries(options).filter(([option]) => keepsLevel || option !== 'compressionLevel');
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  const merged = [...new Map([...kept, ...given])].filter(([, value]) => value !== null);
  return Object.fromEntries(merged);
}

/**
 * Checks options as a whole against what the engine can do.
 *
 * @throws OptionsInvalidError for the first that would not be obeyed
 */
export function checkOptions(options: DatabaseOptions, traits: EngineTraits): void {
  if (options.format !== undefined && !traits.formats.includes(options.format)) {
    throw new OptionsInvalidError('format', `must be one of ${traits.formats.join(', ')} with this engine`);
  }
  checkLevel(options);
  checkNames('include_tables', options.includeTables);
  checkNames('exclude_tables', options.excludeTables);
  checkNames('schemas', options.schemas);
  checkEngineOptions(options, traits);
  whole('timeout_seconds', options.timeoutSeconds, 1, MAX_SECONDS);
  whole('stall_seconds', options.stallSeconds, 1, MAX_SECONDS);
}

function checkLevel({ compression = DEFAULT_COMPRESSION, compressionLevel }: DatabaseOptions): void {
  if (compressionLevel === undefined) return;
  const range = LEVELS[compression];
  if (!range)
    throw new OptionsInvalidError('compression_level', `has no meaning with compression ${compression}`);
  const { min, max } = range;
  if (!Number.isInteger(compressionLevel) || compressionLevel < min || compressionLevel > max) {
    throw new OptionsInvalidError(
      'compression_level',
      `must be a whole number from ${min} to ${max} with ${compression}`,
    );
  }
}

function checkEngineOptions(options: DatabaseOptions, traits: EngineTraits): void {
  if (options.includeRoles && !traits.supportsRoles) {
    throw new OptionsInvalidError('include_roles', 'has no meaning with this engine');
  }
  if (options.hashContent && !traits.supportsContentHash) {
    throw new OptionsInvalidError('hash_content', 'is not possible with this engine');
  }
  if (options.schemas?.length && !traits.supportsSchemas) {
    throw new OptionsInvalidError('schemas', 'has no meaning with this engine');
  }
  if (options.includeTables?.length && !traits.supportsItemChoice) {
    throw new OptionsInvalidError('include_tables', 'is not possible with this engine; use exclude_tables');
  }
  checkItemNames('include_tables', options.includeTables, traits);
  checkItemNames('exclude_tables', options.excludeTables, traits);
  checkTool(options.tool, traits.dumpTools);
}

function checkItemNames(
  option: string,
  names: readonly string[] | undefined,
  { itemNameRule: rule }: EngineTraits,
): void {
  const wrong = rule && names?.find((name) => !rule.pattern.test(name));
  if (wrong === undefined) return;
  throw new OptionsInvalidError(option, `holds ${JSON.stringify(wrong)}, which ${rule?.words ?? 'is none'}`);
}

function checkTool(tool: string | undefined, tools: readonly string[]): void {
  if (tool === undefined || tools.includes(tool)) return;
  if (tools.length === 0) throw new OptionsInvalidError('tool', 'has no meaning with this engine');
  throw new OptionsInvalidError('tool', `must be one of ${tools.join(', ')} with this engine`);
}

function checkNames(option: string, names: readonly string[] | undefined): void {
  if (names === undefined) return;
  if (names.length > MAX_LIST_LENGTH)
    throw new OptionsInvalidError(option, `has more than ${MAX_LIST_LENGTH} names`);
  if (names.some((name) => name === '' || name.includes('\0') || !name.isWellFormed())) {
    throw new OptionsInvalidError(
      option,
      'holds a name that is empty, or contains a NUL or half a character',
    );
  }
  if (new Set(names).size < names.length) throw new OptionsInvalidError(option, 'holds a name twice');
}

function whole(option: string, value: number | undefined, min: number, max: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= min && value <= max)) return;
  throw new OptionsInvalidError(option, `must be a whole number from ${min} to ${max}`);
}
