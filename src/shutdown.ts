import { type INestApplication, Logger } from '@nestjs/common';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * Ends the service well at the first SIGTERM or SIGINT: no new connections, the queue ends its work within its grace time
 * or aborts it, running requests are answered, the catalog is closed, exit code 0. A second signal ends it at once with exit
 * code 1: what is left then is what a crash leaves, and the next start cleans up after it.
 * @returns aborted from the first signal on. A start that is under way then has nothing more to begin, and may meet a catalog
 * that is closed already.
 */
export function closeOnSignals(app: INestApplication): AbortSignal {
  const logger = new Logger('Backstop');
  const stopping = new AbortController();
  let signals = 0;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      signals += 1;
      if (signals === 1) {
        stopping.abort();
        logger.log({ signal }, 'Backstop is stopping; a second signal ends it at once');
        return;
      }
      logger.warn({ signal }, 'Backstop ends at once');
      process.exit(1);
    });
  }
  app.enableShutdownHooks([...SIGNALS], { useProcessExit: true });
  return stopping.signal;
}
