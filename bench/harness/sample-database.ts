import { type BenchServer, sql } from './bench-server.ts';

export interface Sample {
  name: string;
  rows: number;
  tables: readonly string[];
}

/**
 * About 870 MB of SQL, half of it in `events`. Half-random on purpose, as data are: keys and measured values hardly compress,
 * words and field names do, and the whole shrinks to about a quarter.
 */
const TABLES: readonly { name: string; rows: number; columns: string; select: string; after: string }[] = [
  {
    name: 'events',
    rows: 1_500_000,
    columns: 'id bigint, device uuid, at timestamptz, kind text, payload jsonb, amount numeric(12, 2)',
    select: `i, gen_random_uuid(), timestamptz '2024-01-01' + i * interval '7 s',
      (ARRAY['opened', 'closed', 'moved', 'charged', 'returned', 'measured'])[1 + i % 6],
      jsonb_build_object('session', md5(i::text), 'temperature', round((random() * 40)::numeric, 2),
        'position', jsonb_build_array(round((random() * 180 - 90)::numeric, 5), round((random() * 360)::numeric, 5)),
        'status', CASE WHEN i % 7 = 0 THEN 'warning' ELSE 'normal' END, 'battery', i % 100, 'firmware', '4.12.' || i % 30,
        'labels', jsonb_build_array('region-' || i % 12, 'line-' || i % 340, 'shift-' || i % 3)),
      (random() * 10000)::numeric(12, 2)`,
    after: 'ALTER TABLE events ADD PRIMARY KEY (id); CREATE INDEX events_at ON events (at)',
  },
  {
    name: 'documents',
    rows: 170_000,
    columns: 'id bigint, title text, body text',
    select: `i, 'Protocol ' || i || ' of ' || md5(i::text),
      (SELECT string_agg(words[1 + (i * 31 + w * w * 7 + (i % 97) * w) % 24] || CASE w % 9 WHEN 0 THEN '. ' ELSE ' ' END, '')
         || md5(random()::text) FROM generate_series(1, 160) w)`,
    after: 'ALTER TABLE documents ADD PRIMARY KEY (id)',
  },
  {
    name: 'orders',
    rows: 1_300_000,
    columns:
      'id uuid, customer int, placed timestamptz, total numeric(14, 4), tax numeric(14, 4), note text, open boolean',
    select: `gen_random_uuid(), i % 50000, timestamptz '2023-01-01' + i * interval '11 s', (random() * 5000)::numeric(14, 4),
      (random() * 900)::numeric(14, 4), 'deliver to gate ' || i % 60 || ', ask for ' || md5((i % 4000)::text), i % 9 = 0`,
    after: 'ALTER TABLE orders ADD PRIMARY KEY (id); CREATE INDEX orders_customer ON orders (customer)',
  },
];

const WORDS = `ARRAY['the', 'pressure', 'valve', 'was', 'inspected', 'and', 'replaced', 'after', 'delivery', 'of', 'spare', 'parts',
  'operator', 'reports', 'no', 'further', 'leak', 'below', 'threshold', 'during', 'second', 'run', 'with', 'calibrated'] AS words`;

/** Makes the sample database, `scale` times its usual size: one half of it on each of two connections. */
export async function fillSample(server: BenchServer, scale: number): Promise<Sample> {
  const name = `sample_${scale}`;
  await sql(server, 'postgres', `CREATE DATABASE ${name}`);
  const [largest, ...others] = TABLES.map((table) => [
    `CREATE TABLE ${table.name} (${table.columns})`,
    `INSERT INTO ${table.name} SELECT ${table.select} FROM generate_series(1::bigint, ${table.rows * scale}) i, (SELECT ${WORDS}) w`,
    table.after,
    // A table that was never vacuumed is written to when it is first read, which would be the first contestant's burden.
    `VACUUM (FREEZE, ANALYZE) ${table.name}`,
  ]);
  await Promise.all([sql(server, name, ...(largest ?? [])), sql(server, name, ...others.flat())]);
  await sql(server, name, 'CHECKPOINT');
  return {
    name,
    rows: TABLES.reduce((total, { rows }) => total + rows * scale, 0),
    tables: TABLES.map((table) => table.name),
  };
}
