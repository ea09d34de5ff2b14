import 'reflect-metadata';

import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { NestFactory } from '@nestjs/core';

import { AppModule } from './app.module.js';
import { createOpenApiDocument } from './http/openapi-document.js';

/**
 * Writes `openapi.json`, or with `--check` says whether it is fresh (exit code 1 when not). Nothing is started for it: in
 * Nest's preview mode no provider is built, so that neither a catalog nor settings are needed.
 */
const FILE = fileURLToPath(new URL('../openapi.json', import.meta.url));

const app = await NestFactory.create(AppModule, { preview: true, logger: false, abortOnError: false });
const fresh = `${JSON.stringify(createOpenApiDocument(app), null, 2)}\n`;
if (process.argv.includes('--check')) {
  const committed = await readFile(FILE, 'utf8').catch(() => '');
  if (committed !== fresh) {
    process.stderr.write('openapi.json is not what the code says; run: npm run openapi\n');
    process.exitCode = 1;
  }
} else {
  await writeFile(FILE, fresh);
}
