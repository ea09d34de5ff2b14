// @ts-check
/**
 * Makes a fresh machine ready: `node scripts/setup.mjs run | demo | test`. Needs nothing but Node 20 or newer and npm; says
 * what is missing, and why it is needed, before it gets it. Run again, it finds everything there in well under a second.
 *
 * Root is needed only for system packages. Where something cannot be installed, the exact command is printed; if nothing
 * works without it the exit code is 1, else what it serves is left out.
 */
import { join } from 'node:path';

import { build } from './setup/build.mjs';
import { clientTools } from './setup/client-tools.mjs';
import { dependencies } from './setup/dependencies.mjs';
import { dockerCompose } from './setup/docker-compose.mjs';
import { dockerEngine } from './setup/docker-engine.mjs';
import { PROJECT } from './setup/paths.mjs';
import { promtool } from './setup/promtool.mjs';
import { carryOut } from './setup/steps.mjs';
import { testImages } from './setup/test-images.mjs';

/** @type {Record<string, { purpose: string, steps: import('./setup/steps.mjs').Step[] }>} */
const SETUPS = {
  run: { purpose: 'for running Backstop', steps: [dependencies, build, clientTools] },
  demo: { purpose: 'for the demo', steps: [dependencies, build, clientTools] },
  test: {
    purpose: 'for the tests',
    steps: [dependencies, build, clientTools, dockerEngine, dockerCompose, testImages, promtool],
  },
};

const setup = SETUPS[process.argv[2] ?? ''];
if (setup === undefined) {
  process.stderr.write('usage: node scripts/setup.mjs run | demo | test\n');
  process.exitCode = 2;
} else {
  // The Node of the project, once it is installed, for everything that is started from here.
  process.env['PATH'] = `${join(PROJECT, 'node_modules', '.bin')}:${process.env['PATH']}`;
  if (!(await carryOut(setup.purpose, setup.steps))) process.exitCode = 1;
}
