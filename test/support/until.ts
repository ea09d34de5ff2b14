/** Between two looks. What has taken long may be seen a bit later, and looking costs those who are at work something, too. */
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 60;

/**
 * Polls until `check` gives something true, and gives that. A test's only way to wait for what has no signal.
 * @throws when `withinMs` are over, saying what was waited for
 */
export async function until<T>(
  what: string,
  check: () => T | undefined | false | null | Promise<T | undefined | false | null>,
  withinMs = 90_000,
): Promise<T> {
  const begun = performance.now();
  for (;;) {
    const found = await check();
    if (found !== undefined && found !== false && found !== null) return found;
    const waitedMs = performance.now() - begun;
    if (waitedMs > withinMs) throw new Error(`waited ${withinMs} ms in vain for: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS + waitedMs / 50));
    });
  }
}
