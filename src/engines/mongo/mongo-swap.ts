import type { SwapNames } from '../engine.js';

/** What lies in a database, as far as a swap moves it. */
export interface Movable {
  name: string;
  kind: 'collection' | 'view';
}

/** Written before the first move, in the database `fresh`: what is to be moved. Its presence means that a swap has begun. */
export interface SwapJournal {
  live: string;
  /** Null when nothing is replaced. */
  keepAs: string | null;
  old: Movable[];
  fresh: Movable[];
}

/** What a swap needs of a server. `move` of a collection is a rename into another database, which copies it on the server. */
export interface Mover {
  list(database: string): Promise<Movable[]>;
  /** Moves; rejects when there is something under the new name. Resolves when the old name is free. */
  move(what: Movable, from: string, to: string, newName: string): Promise<void>;
  readJournal(database: string): Promise<SwapJournal | undefined>;
  writeJournal(database: string, journal: SwapJournal): Promise<void>;
  /** The database `fresh` is gone after this, as nothing else is in it. */
  dropJournal(database: string): Promise<void>;
}

/** Added to the name of what somebody wrote under a name that a swap had just made free. */
export const LATE_SUFFIX = '.written_during_swap';

/**
 * Begins a swap, or a rename when `keepAs` is null: writes down what is to be moved, and moves it. On a server without atomic
 * renames the steps are these, and each can be done again:
 *
 * 1. The journal is written into `fresh`. Before that nothing is changed.
 * 2. Each collection of `live` is moved to `keepAs`; views, which refer to collections by name, are made anew after them.
 * 3. Each collection of `fresh` is moved to `live`. What an application wrote there meanwhile is not overwritten: it is moved to
 *    `keepAs`, with a suffix.
 * 4. The journal is dropped, and with it `fresh`.
 *
 * A crash between two steps leaves some collections under their old database's name and some under the new one; none is lost,
 * and none is there twice. `resumeSwap` does the rest.
 */
export async function beginSwap(
  mover: Mover,
  { live, fresh, keepAs }: Omit<SwapNames, 'keepAs'> & { keepAs: string | null },
): Promise<void> {
  await mover.writeJournal(fresh, {
    live,
    keepAs,
    old: keepAs === null ? [] : await mover.list(live),
    fresh: await mover.list(fresh),
  });
  await resumeSwap(mover, fresh);
}

/** Finishes a swap that had begun. Gives whether there was one. */
export async function resumeSwap(mover: Mover, fresh: string): Promise<boolean> {
  const journal = await mover.readJournal(fresh);
  if (journal === undefined) return false;
  const { live, keepAs } = journal;
  if (keepAs !== null) await moveOld(mover, journal, live, keepAs);
  for (const what of inOrder(journal.fresh)) {
    const [left, there] = [await mover.list(fresh), await mover.list(live)];
    if (!has(left, what.name)) continue; // moved already
    const late = there.find(({ name }) => name === what.name);
    if (late !== undefined) await moveAside(mover, late, live, keepAs ?? live);
    await mover.move(what, fresh, live, what.name);
  }
  await mover.dropJournal(fresh);
  return true;
}

/**
 * A collection of `live` is the old one as long as the fresh one of that name has not come, and nothing was kept under its name: what
 * is there after that was written by somebody else, and is dealt with when its name is needed.
 */
async function moveOld(mover: Mover, journal: SwapJournal, live: string, keepAs: string): Promise<void> {
  for (const what of inOrder(journal.old)) {
    if (has(await mover.list(keepAs), what.name)) continue;
    if (has(await mover.list(live), what.name)) await mover.move(what, live, keepAs, what.name);
  }
}

async function moveAside(mover: Mover, late: Movable, from: string, to: string): Promise<void> {
  const taken = await mover.list(to);
  let name = `${late.name}${LATE_SUFFIX}`;
  for (let turn = 2; has(taken, name); turn += 1) name = `${late.name}${LATE_SUFFIX}_${turn}`;
  await mover.move(late, from, to, name);
}

/** Collections before the views on them. */
function inOrder(all: readonly Movable[]): Movable[] {
  return all.toSorted((a, b) => Number(a.kind === 'view') - Number(b.kind === 'view'));
}

function has(all: readonly Movable[], name: string): boolean {
  return all.some((one) => one.name === name);
}
