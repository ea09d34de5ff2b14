import { Global, Inject, Logger, Module, type OnApplicationBootstrap } from '@nestjs/common';

import { Config } from '../config/config.js';
import { SecretBox } from './secret-box.js';
import { type KeyFile, readOrCreateKeyFile } from './secret-key-file.js';
import { deriveSecretKey } from './secret-key.js';

const KEY_FILE = Symbol('KEY_FILE');

/** Absent when the key is configured. */
type MaybeKeyFile = KeyFile | undefined;

/** Platform: sealing of secrets, for every room that stores one; with the configured key, else with that of the key file. */
@Global()
@Module({
  providers: [
    {
      provide: KEY_FILE,
      useFactory: (config: Config): Promise<MaybeKeyFile> | undefined =>
        config.secretKey === null ? readOrCreateKeyFile(config.secretKeyPath) : undefined,
      inject: [Config],
    },
    {
      provide: SecretBox,
      useFactory: async (config: Config, keyFile: MaybeKeyFile) =>
        new SecretBox(await deriveSecretKey(keyFile?.text ?? config.secretKey ?? '')),
      inject: [Config, KEY_FILE],
    },
  ],
  exports: [SecretBox],
})
export class SecretsModule implements OnApplicationBootstrap {
  readonly #logger = new Logger('Secrets');

  constructor(
    @Inject(KEY_FILE) private readonly keyFile: MaybeKeyFile,
    private readonly config: Config,
    private readonly box: SecretBox,
  ) {}

  /** Here, because the log is not open yet when the key is read. */
  onApplicationBootstrap(): void {
    const file = this.config.secretKeyPath;
    const { keyId } = this.box;
    this.#logger.log({ keyId, ...(this.keyFile && { file }) }, 'stored passwords are sealed with this key');
    if (this.keyFile?.isNew) {
      this.#logger.warn(
        { file },
        'a new key for stored passwords was made; keep a copy of it apart from the catalog',
      );
    }
    if (this.keyFile?.isExposed) {
      this.#logger.warn(
        { file },
        `others can read the key for stored passwords; mend it with: chmod 600 ${file}`,
      );
    }
  }
}
