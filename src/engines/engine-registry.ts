import { Inject, Injectable } from '@nestjs/common';

import { type Engine, ENGINES } from './engine.js';
import { EngineUnknownError } from './engines.errors.js';

/** Finds an engine by its kind. Two of one kind stop the start. */
@Injectable()
export class EngineRegistry {
  readonly #engines: ReadonlyMap<string, Engine>;

  constructor(@Inject(ENGINES) engines: readonly Engine[]) {
    this.#engines = new Map(engines.map((engine) => [engine.kind, engine]));
    if (this.#engines.size < engines.length) throw new Error('two engines are registered for one kind');
  }

  /** In order of their kinds. */
  get all(): readonly Engine[] {
    return [...this.#engines.values()].toSorted((a, b) => (a.kind < b.kind ? -1 : 1));
  }

  /** @throws EngineUnknownError, which lists the known ones */
  get(kind: string): Engine {
    const engine = this.#engines.get(kind);
    if (!engine) throw new EngineUnknownError(kind, [...this.#engines.keys()]);
    return engine;
  }
}
