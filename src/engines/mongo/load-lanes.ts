/**
 * Work that is done several pieces at once, and no more: `add` waits until there is room, so that whoever makes the pieces makes no
 * more of them than fit. Pieces of one lane are done one after the other, in their order.
 */
export class LoadLanes {
  readonly #most: number;
  readonly #running = new Set<Promise<void>>();
  readonly #lanes = new Map<string, Promise<void>>();
  #failure: { error: unknown } | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  /** Resolves when the piece has begun or waits behind its lane. Rejects with the first failure of any piece. */
  async add(lane: string | undefined, work: () => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#most && this.#failure === undefined) await Promise.race(this.#running);
    this.#throwFailure();
    const before = lane === undefined ? undefined : this.#lanes.get(lane);
    const piece = this.#run(before, work);
    if (lane !== undefined) this.#lanes.set(lane, piece);
    this.#running.add(piece);
    void piece.then(() => this.#running.delete(piece));
  }

  /** Resolves when nothing runs any more; never rejects. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** The same, and rejects with the first failure. */
  async done(): Promise<void> {
    await this.settled();
    this.#throwFailure();
  }

  async #run(before: Promise<void> | undefined, work: () => Promise<void>): Promise<void> {
    await before;
    if (this.#failure !== undefined) return;
    try {
      await work();
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
