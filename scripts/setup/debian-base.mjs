// @ts-check
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { IS_ROOT } from './paths.mjs';
import { must, run, succeeds } from './run.mjs';
import { installPackages } from './system-packages.mjs';

const BASE = 'local/debian:bookworm';

/** Documentation and package lists are of no use in a server for tests. */
const LEFT_OUT = [
  './var/cache/apt/archives/*.deb',
  './var/lib/apt/lists/*',
  './usr/share/doc/*',
  './usr/share/man/*',
  './usr/share/locale/*',
];

/**
 * A minimal Debian 12, made by debootstrap from Debian's packages: what every stand-in image begins with. About 25 s.
 *
 * @returns {Promise<string>} Its tag.
 */
export async function ensureDebianBase() {
  if (await succeeds('docker', ['image', 'inspect', BASE])) return BASE;
  if (!IS_ROOT) throw new Error('making a Debian base image needs root');
  if (!(await succeeds('which', ['debootstrap'])))
    await installPackages(['debootstrap'], 'debootstrap is not here');
  const root = await mkdtemp(join(tmpdir(), 'backstop-debian-'));
  try {
    await must('debootstrap', ['--variant=minbase', 'bookworm', root]);
    // Mirrors keep the newest index of testing for a while after it has run out; dates there are no attack here.
    await writeFile(
      join(root, 'etc/apt/apt.conf.d/99-test-image'),
      'Acquire::Check-Valid-Until "false";\nAcquire::Check-Date "false";\n',
    );
    const excludes = LEFT_OUT.map((pattern) => `--exclude=${pattern}`);
    const tar = `${root}.tar`;
    try {
      await must('tar', ['-C', root, ...excludes, '-cf', tar, '.']);
      await must('docker', ['import', '--change', 'CMD ["bash"]', tar, BASE]);
    } finally {
      await rm(tar, { force: true });
    }
  } finally {
    // debootstrap may have left /proc mounted when it failed; removing would then reach the machine's own.
    const mounted = await run('findmnt', ['--noheadings', '--output', 'TARGET', '--raw']);
    const inside = mounted.stdout.split('\n').filter((target) => target.startsWith(`${root}/`));
    for (const target of inside.toReversed()) await run('umount', [target]);
    await rm(root, { recursive: true, force: true });
  }
  return BASE;
}
