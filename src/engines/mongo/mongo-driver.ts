import { createRequire } from 'node:module';

type Driver = typeof import('mongodb');

/** Not `import()`: what reads an archive is not asynchronous, and the driver is CommonJS in any case. */
const require = createRequire(import.meta.url);
const loadDriver: (name: 'mongodb') => Driver = require;
let loaded: Driver | undefined;

/**
 * MongoDB's driver, loaded when it is first asked for: 170 files and 7 MB of memory, which an installation without a MongoDB database
 * shall not pay for at each start. Everything else imports nothing but types from `mongodb`; dependency-cruiser holds to that.
 */
export function driver(): Driver {
  loaded ??= loadDriver('mongodb');
  return loaded;
}

/** A file of the driver that is no part of its public interface. */
export function driverInternals(file: `mongodb/lib/${string}`): unknown {
  return require(file);
}
