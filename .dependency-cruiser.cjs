/**
 * The floors of ARCHITECTURE.md, enforced: imports point down, never up, never in circles. A room is a folder of src/.
 */
const floors = [
  [
    'config',
    'catalog',
    'clock',
    'errors',
    'http',
    'logging',
    'process',
    'secrets',
    'queue',
    'events',
    'idempotency',
  ],
  ['engines', 'storage', 'archive'],
  ['databases', 'destinations'],
  ['backups', 'restore', 'verification', 'retention', 'scheduler'],
];
const rooms = (names) => `^src/(${names.join('|')})/`;

const upward = floors.slice(0, -1).map((names, floor) => ({
  name: `floor-${floor}-imports-upward`,
  comment: 'Imports point down: see "The house" in ARCHITECTURE.md.',
  severity: 'error',
  from: { path: rooms(names), pathNot: '\\.spec\\.ts$' },
  to: { path: rooms(floors.slice(floor + 1).flat()) },
}));

const edges =
  '^src/(compat|metrics|notifications|auth|health|ui|cli|declared)/|^src/(main|serve|worker|cli|app\\.module)\\.ts';

module.exports = {
  forbidden: [
    ...upward,
    {
      name: 'nothing-imports-the-edges',
      severity: 'error',
      from: { path: rooms(floors.flat()) },
      to: { path: edges },
    },
    {
      name: 'backups-is-the-lowest-workflow',
      comment: 'backups <- restore, verification, retention <- scheduler',
      severity: 'error',
      from: { path: '^src/backups/' },
      to: { path: rooms(['restore', 'verification', 'retention', 'scheduler']) },
    },
    {
      name: 'siblings-above-backups',
      comment: 'restore, verification and retention do not know one another, nor the scheduler.',
      severity: 'error',
      from: { path: '^src/(restore|verification|retention)/' },
      to: { path: rooms(['restore', 'verification', 'retention', 'scheduler']), pathNot: '^src/$1/' },
    },
    {
      name: 'scheduler-stands-on-backups-and-retention',
      severity: 'error',
      from: { path: '^src/scheduler/' },
      to: { path: rooms(['restore', 'verification']) },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: '(main|openapi|cli)\\.ts$|\\.spec\\.ts$' },
      to: {},
    },
    {
      name: 'not-to-dev-dep',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.spec\\.ts$' },
      to: { dependencyTypes: ['npm-dev'] },
    },
    {
      name: 'mongodb-is-loaded-when-it-is-needed',
      comment:
        'Types may come from the driver; what is called goes through mongo-driver.ts, which loads it late.',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.spec\\.ts$|^src/engines/mongo/mongo-driver\\.ts$' },
      to: { path: '^node_modules/mongodb/', dependencyTypesNot: ['type-only'] },
    },
    { name: 'no-barrels', severity: 'error', from: {}, to: { path: '^src/.*/index\\.ts$' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'], conditionNames: ['import', 'node', 'default'] },
  },
};
