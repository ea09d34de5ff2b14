import { Global, Logger, Module } from '@nestjs/common';

import { Config } from '../config/config.js';
import { SecretBox } from './secret-box.js';
import { readOrCreateKeyFile } from './secret-key-file.js';
import { deriveSecretKey } from './secret-key.js';

/** The box with the key of this installation: the one that is configured, else the one in the key file. */
async function openSecretBox(config: Config): Promise<SecretBox> {
  if (config.secretKey !== null) return new SecretBox(deriveSecretKey(config.secretKey));
  const file = config.secretKeyPath;
  const { text, isNew, isExposed } = await readOrCreateKeyFile(file);
  const box = new SecretBox(deriveSecretKey(text));
  const logger = new Logger('Secrets');
  if (isNew) {
    logger.warn(
      { file, keyId: box.keyId },
      'a new key for stored passwords was made; keep a copy of this file apart from the catalog',
    );
  }
  if (isExposed) {
    logger.warn(
      { file },
      `others can read the key file for stored passwords; mend it with: chmod 600 ${file}`,
    );
  }
  return box;
}

/** Platform: sealing of secrets, for every room that stores one. */
@Global()
@Module({
  providers: [{ provide: SecretBox, useFactory: openSecretBox, inject: [Config] }],
  exports: [SecretBox],
})
export class SecretsModule {}
