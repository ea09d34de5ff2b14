import { defineConfig } from 'vitest/config';

/** Decorators and their metadata are transformed as tsconfig.json says; the reflection shim must be there first. */
const setupFiles = ['reflect-metadata'];

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['src/**/*.spec.ts'], setupFiles } },
      {
        test: {
          name: 'servers',
          include: [
            'test/{support,contracts,engines,storage,archive,process,catalog,queue,databases}/**/*.test.ts',
          ],
          setupFiles,
          globalSetup: ['test/support/global-servers.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.e2e.ts'],
          setupFiles,
          globalSetup: ['test/support/global-servers.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
