// @ts-check
import { IS_ROOT, SUDO } from './paths.mjs';
import { must, run } from './run.mjs';

/** Something that only a person can do here; `message` holds the exact command. */
export class NeedsPersonError extends Error {
  /**
   * @param {string} what What is missing.
   * @param {string} command What to type.
   */
  constructor(what, command) {
    super(`${what}. To mend it: ${command}`);
    this.name = 'NeedsPersonError';
  }
}

/** Updates that run at the same time wait for one another. */
let updated = /** @type {Promise<string> | undefined} */ (undefined);

/**
 * Installs Debian packages, which needs root. Throws `NeedsPersonError` where it cannot be done.
 *
 * @param {readonly string[]} packages
 * @param {string} what What is missing without them, for the message.
 */
export async function installPackages(packages, what) {
  const command = `${SUDO}apt-get update && ${SUDO}apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  const hasApt = (await run('apt-get', ['--version'])).code === 0;
  if (!IS_ROOT || !hasApt) throw new NeedsPersonError(what, command);
  updated ??= must('apt-get', ['update', '--quiet']);
  await updated;
  // Another package manager may hold the lock for a moment; apt waits for it.
  const flags = ['install', '--quiet', '--yes', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120'];
  await must('apt-get', [...flags, ...packages], { env: { DEBIAN_FRONTEND: 'noninteractive' } });
}
