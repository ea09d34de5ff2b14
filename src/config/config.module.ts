import { Global, Module } from '@nestjs/common';
import { ConfigModule as NestConfigModule, registerAs } from '@nestjs/config';

import { Config } from './config.js';
import { Environment, processVariables } from './environment.js';
import { readConfig } from './read-config.js';

/** Runs when Nest builds its providers, not at import: a wrong setting is then an ordinary start error. */
const settings = registerAs('settings', () => readConfig(processVariables()));

/**
 * Platform: the settings (`Config`) and the environment (`Environment`), for every room. A file `.env` in the working
 * folder is read first; variables that are set already win over it.
 */
@Global()
@Module({
  imports: [NestConfigModule.forRoot({ load: [settings] })],
  providers: [
    { provide: Config, useFactory: (config: Config) => config, inject: [settings.KEY] },
    { provide: Environment, useFactory: () => new Environment(processVariables()) },
  ],
  exports: [Config, Environment],
})
export class ConfigModule {}
