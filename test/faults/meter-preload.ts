/**
 * Loaded into a service before its own code (`node --import`): at SIGUSR2 it collects garbage and tells its memory on stderr.
 */
process.on('SIGUSR2', () => {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  process.stderr.write(`${JSON.stringify({ heapUsed, rss })}\n`);
});
