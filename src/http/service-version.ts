import { readFileSync } from 'node:fs';

/** The version of this service, from the package it runs from. */
export const SERVICE_VERSION = readVersion(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);

function readVersion(text: string): string {
  const manifest: unknown = JSON.parse(text);
  const version =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : '';
  if (typeof version !== 'string') throw new Error('package.json has no version');
  return version;
}
