import { Inject, Injectable } from '@nestjs/common';

import { type Engine, ENGINES } from './engine.js';
import { EngineUnknownError } from './engines.errors.js';

/** Finds an engine by kind. Two engines of one kind are a mistake in the code and stop the start. */
@Injectable()
export class EngineRegistry {
  readonly #byKind = new Map<string, Engine>();

  constructor(@Inject(ENGINES) engines: readonly Engine[]) {
    for (const engine of engines) {
      if (this.#byKind.has(engine.kind)) throw new Error(`two engines are registered as "${engine.kind}"`);
      this.#byKind.set(engine.kind, engine);
    }
  }

  /** The engine of `kind`. Throws `engine-unknown`, naming the known ones. */
  get(kind: string): Engine {
    const engine = this.#byKind.get(kind);
    if (engine === undefined) throw new EngineUnknownError(kind, [...this.#byKind.keys()]);
    return engine;
  }

  /** Every engine, in the order of registration. */
  all(): Engine[] {
    return [...this.#byKind.values()];
  }
}
