import { PRIVATE_PROMTOOL } from '../../scripts/setup/promtool.mjs';
import { succeeds } from '../../scripts/setup/run.mjs';

/** Prometheus's own checker of metrics and rules; undefined where it is not. */
export async function findPromtool(): Promise<string | undefined> {
  for (const file of ['promtool', PRIVATE_PROMTOOL]) if (await succeeds(file, ['--version'])) return file;
  return undefined;
}
