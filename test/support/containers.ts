import { ensureImage } from '../../scripts/setup/images.mjs';
import { run, succeeds } from '../../scripts/setup/run.mjs';

import { OWNER_LABEL } from './postgres-container.ts';

/** Testcontainers' reaper of the version that we use; see its `reaper` module. */
const REAPER_IMAGE = 'testcontainers/ryuk:0.14.0';

/** Whether a Docker Engine answers. */
export function hasDockerEngine(): Promise<boolean> {
  return succeeds('docker', ['version', '--format', '{{.Server.Version}}']);
}

/**
 * Lets Testcontainers work where the image of its reaper cannot be had: the reaper is then switched off, and what dead test
 * processes left behind is removed by label, now and by `removeContainersOf` at the end.
 */
export async function prepareTestcontainers(): Promise<void> {
  try {
    await ensureImage(REAPER_IMAGE);
  } catch {
    process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  }
  const labelled = await run('docker', [
    'ps',
    '-a',
    '--filter',
    `label=${OWNER_LABEL}`,
    '--format',
    `{{.Label "${OWNER_LABEL}"}}`,
  ]);
  const owners = new Set(labelled.stdout.split('\n').filter((owner) => /^\d+$/.test(owner)));
  for (const owner of owners) {
    if (!isAlive(Number(owner))) await removeContainersOf(owner);
  }
}

/** Removes every container, with its volumes, that carries this owner's label. */
export async function removeContainersOf(owner: string): Promise<void> {
  const found = await run('docker', ['ps', '-aq', '--filter', `label=${OWNER_LABEL}=${owner}`]);
  const ids = found.stdout.split('\n').filter((id) => id !== '');
  if (ids.length > 0) await run('docker', ['rm', '--force', '--volumes', ...ids]);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
