import type { FoundTool, ToolFinder } from '../../process/tool-finder.js';
import { SERVICE_VERSION } from '../../http/service-version.js';
import type { ToolFacts, ToolReport } from '../engine.js';
import { ToolMissingError } from '../tools.errors.js';
import type { MongoDumpTool } from './mongo-traits.js';
import { ToolUnfitError } from './mongo.errors.js';

/** Where packages put the MongoDB Database Tools, besides PATH. */
export const MONGO_TOOL_PATTERNS = [
  '/opt/mongodb-database-tools*/bin',
  '/opt/homebrew/opt/mongodb-database-tools/bin',
] as const;

/** Backstop's own source and restorer. It has the service's version. */
export const BUILT_IN: ToolFacts = { name: 'builtin', version: SERVICE_VERSION };

const INSTALL = 'install the MongoDB Database Tools of their vendor, or name their folder in MONGO_BIN_DIRS';

export type MongoTool = 'mongodump' | 'mongorestore';

/** The MongoDB Database Tools where they are installed, and what is used instead. */
export class MongoTools {
  readonly #finder: ToolFinder;

  constructor(finder: ToolFinder) {
    this.#finder = finder;
  }

  /** `mongodump` first where it is found, because that is used then; at the end what is built in. */
  async all(): Promise<ToolReport[]> {
    const found = [...(await this.#finder.find('mongodump')), ...(await this.#finder.find('mongorestore'))];
    return [
      ...found.map(({ name, version, major, path }) => ({ name, version, major, path })),
      { ...BUILT_IN, major: Number.parseInt(BUILT_IN.version, 10) },
    ];
  }

  /** The newest version of a tool. */
  async find(tool: MongoTool): Promise<FoundTool | undefined> {
    const [newest] = await this.#finder.find(tool);
    return newest;
  }

  /**
   * The tool that a choice means: undefined for what is built in.
   * @param unfit why the tool could not do it, as far as anything asked for is beyond it
   * @throws `tool-missing`, `tool-unfit` when it was asked for by name
   */
  async choose(tool: MongoTool, choice: MongoDumpTool, unfit?: string): Promise<FoundTool | undefined> {
    if (choice === 'builtin') return undefined;
    const found = await this.find(tool);
    if (choice === 'auto') return unfit === undefined ? found : undefined;
    if (found === undefined) throw new ToolMissingError(tool, INSTALL);
    if (unfit !== undefined) throw new ToolUnfitError(tool, unfit);
    return found;
  }
}
