import { existsSync } from 'node:fs';
import { copyFile, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { ensureImage } from '../../scripts/setup/images.mjs';
import { PROJECT } from '../../scripts/setup/paths.mjs';
import { must, succeeds } from '../../scripts/setup/run.mjs';

/** The tag of the image under test. */
export const SERVICE_IMAGE = 'local/backstop:test';

/** What never belongs to a build, and what would make its copy slow. */
const NOT_COPIED = new Set(['node_modules', '.git', '.cache', 'dist', 'data', 'coverage']);

/** Where a machine that trusts further authorities has their certificates. */
const SYSTEM_CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/**
 * Builds the Dockerfile as a user would, on the official Node image and with clients from the PostgreSQL project, or on the
 * stand-in and with Debian's clients where there is no hub. The first build takes about three minutes, a later one seconds.
 */
export async function buildServiceImage(): Promise<void> {
  const node = await ensureImage('node:24-bookworm-slim');
  const args: Record<string, string> = { NODE_IMAGE: node.reference };
  if (node.how === 'stand-in image') args['PG_CLIENT_SOURCE'] = 'debian';
  const context = await mkdtemp(join(tmpdir(), 'backstop-image-'));
  try {
    await cp(PROJECT, context, { recursive: true, filter: (path) => !NOT_COPIED.has(basename(path)) });
    const certificates = process.env['NODE_EXTRA_CA_CERTS'] ?? SYSTEM_CERTIFICATES;
    if (node.how === 'stand-in image' && existsSync(certificates)) {
      await copyFile(certificates, join(context, 'extra-ca.crt'));
      args['NODE_EXTRA_CA_CERTS'] = args['NPM_CONFIG_CAFILE'] = '/build/extra-ca.crt';
    }
    const buildArgs = Object.entries(args).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]);
    const buildx = await succeeds('docker', ['buildx', 'version']);
    await must('docker', ['build', '--tag', SERVICE_IMAGE, ...buildArgs, context], {
      env: { DOCKER_BUILDKIT: buildx ? '1' : '0' },
    });
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}
