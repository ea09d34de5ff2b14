import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import type { Document, YAMLParseError, YAMLWarning } from 'yaml';

import { type Fault, type FilePath, pathText } from './fault.js';

/** What a file says, in plain values: texts, numbers, booleans, null, lists, and objects of these. */
export interface YamlReading {
  /** Null when it says nothing, or cannot be read. */
  value: unknown;
  faults: Fault[];
  /** The line of the value at this path, or of the nearest thing around it that has one. */
  lineOf: (path: FilePath) => number | undefined;
}

/** With aliases a short text can stand for billions of values; a list of thousands of databases has not so many. */
const MOST_VALUES = 200_000;
const DEEPEST = 32;
const PLAIN_TAGS = /^tag:yaml\.org,2002:(str|int|float|bool|null|map|seq)$/;
/** They are no fields of anything, and JavaScript takes them for something else. */
const NEVER_FIELDS = ['__proto__', 'constructor', 'prototype'];

/**
 * Reads one document of YAML 1.2. What is not plain data is a fault: keys that stand twice, keys that are no texts, tags, aliases that
 * contain themselves or stand for too much. No fault repeats a value, which may be a secret in the wrong place.
 */
export function readYaml(text: string): YamlReading {
  const lines = new LineCounter();
  let document: Document.Parsed;
  try {
    // Pretty errors would repeat lines of the file. Keys that stand twice are found below, in less than the square of their number.
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  } catch (error) {
    // The parser calls itself for each level: its stack ends before ours has said a word.
    const why = error instanceof RangeError ? 'it is nested too deeply' : 'the parser gave up';
    return unreadable([{ path: '', detail: `cannot be read as YAML: ${why}` }]);
  }
  const complaints = [...document.errors, ...document.warnings];
  if (complaints.length > 0) {
    return unreadable(complaints.map((each) => syntaxFault(each, lines.linePos(each.pos[0]).line)));
  }
  const reader = new ValueReader(lines);
  const value = reader.read(document.contents, []);
  return { value, faults: reader.faults, lineOf: (path) => reader.lineOf(path) };
}

function unreadable(faults: Fault[]): YamlReading {
  return { value: null, faults, lineOf: () => undefined };
}

function syntaxFault({ code, message }: YAMLParseError | YAMLWarning, line: number): Fault {
  if (code === 'MULTIPLE_DOCS') return { path: '', line, detail: 'holds several YAML documents; give one' };
  const isStar = code === 'BAD_ALIAS' || / alias /.test(message);
  // The library names the alias that it does not find; it may be a password that begins with a star.
  const what = isStar ? 'an alias that names nothing, or stands in the wrong place' : message;
  const hint = isStar ? '. A text that begins with *, such as a cron expression, needs quotes' : '';
  return { path: '', line, detail: `is not YAML: ${what}${hint}` };
}

/** Goes once through the nodes: takes their values, notes their lines, and finds what is no plain data. */
class ValueReader {
  readonly faults: Fault[] = [];
  readonly #lines = new Map<string, number>();
  readonly #around = new Set<Node>();
  readonly #anchors = new Map<string, Node>();
  readonly #anchored = new Set<Node>();
  readonly #targets = new Map<Alias, Node>();
  #values = 0;

  constructor(private readonly counter: LineCounter) {}

  lineOf(path: FilePath): number | undefined {
    for (let length = path.length; length > 0; length -= 1) {
      const line = this.#lines.get(pathText(path.slice(0, length)));
      if (line !== undefined) return line;
    }
    return undefined;
  }

  read(node: unknown, path: FilePath): unknown {
    this.#values += 1;
    if (this.#values > MOST_VALUES) return this.#once(path, `stands for more than ${MOST_VALUES} values`);
    if (isAlias(node)) return this.#alias(node, path);
    this.#remember(node);
    if (isScalar(node)) return this.#scalar(node.tag, node.value, path);
    if (!isMap(node) && !isSeq(node)) return null;
    if (this.#around.has(node)) return this.#refuse(path, 'is an alias of what it stands in');
    if (path.length >= DEEPEST) return this.#refuse(path, `is nested more than ${DEEPEST} levels deep`);
    if (!this.#isPlain(node.tag)) return this.#refuse(path, 'has a tag; only plain lists and maps are read');
    this.#around.add(node);
    const value = isMap(node)
      ? this.#map(node, path)
      : node.items.map((item, index) => this.#item(item, path, index));
    this.#around.delete(node);
    return value;
  }

  #alias(alias: Alias, path: FilePath): unknown {
    const target = this.#targets.get(alias) ?? this.#anchors.get(alias.source);
    if (target === undefined) return this.#refuse(path, 'is an alias that names nothing');
    this.#targets.set(alias, target);
    return this.read(target, path);
  }

  /** Nodes are met for the first time in the order of the file, so an alias finds the last anchor before it. */
  #remember(node: unknown): void {
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return;
    if (node.anchor === undefined || this.#anchored.has(node)) return;
    this.#anchored.add(node);
    this.#anchors.set(node.anchor, node);
  }

  #item(item: unknown, path: FilePath, index: number): unknown {
    const here = [...path, index];
    this.#note(here, item);
    return this.read(item, here);
  }

  #map(node: YAMLMap, path: FilePath): Record<string, unknown> {
    const entries = new Map<string, unknown>();
    for (const { key, value } of node.items) {
      if (!isScalar(key)) {
        this.#refuse(path, 'has a key that is not a text');
        continue;
      }
      const name = String(key.value);
      const here = [...path, name];
      if (entries.has(name)) {
        this.#refuse(here, 'stands twice; keep one', key);
        continue;
      }
      this.#note(here, key);
      if (NEVER_FIELDS.includes(name)) this.#refuse(here, 'is not a known field');
      else entries.set(name, this.read(value, here));
    }
    return Object.fromEntries(entries);
  }

  #scalar(tag: string | undefined, value: unknown, path: FilePath): unknown {
    if (!this.#isPlain(tag))
      return this.#refuse(path, 'has a tag; only plain texts, numbers, true, false and null are read');
    return value;
  }

  #isPlain(tag: string | undefined): boolean {
    return tag === undefined || PLAIN_TAGS.test(tag);
  }

  #note(path: FilePath, node: unknown): void {
    const line = this.#lineAt(node);
    if (line !== undefined) this.#lines.set(pathText(path), line);
  }

  #lineAt(node: unknown): number | undefined {
    const at = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined;
    return at === undefined ? undefined : this.counter.linePos(at).line;
  }

  #refuse(path: FilePath, detail: string, node?: unknown): null {
    const line = this.#lineAt(node) ?? this.lineOf(path);
    this.faults.push({ path: pathText(path), detail, ...(line !== undefined && { line }) });
    return null;
  }

  /** A bomb is told of once, not for each of its values. */
  #once(path: FilePath, detail: string): null {
    return this.#values === MOST_VALUES + 1 ? this.#refuse(path, detail) : null;
  }
}
