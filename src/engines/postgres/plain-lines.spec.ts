import { describe, expect, it } from 'vitest';

import { PlainLines } from './plain-lines.js';

const SCRIPT = [
  '--',
  '-- PostgreSQL database dump',
  '--',
  '\\restrict abc',
  'SET transaction_timeout = 0;',
  '--',
  '-- Name: public; Type: SCHEMA; Schema: -; Owner: -',
  '--',
  'CREATE SCHEMA public;',
  '--',
  '-- Name: p(); Type: PROCEDURE; Schema: public; Owner: -',
  '--',
  'BEGIN;',
  'COPY public.in_a_body (a) FROM stdin;',
  'CREATE SCHEMA public;',
  'COMMIT;',
  '--',
  '-- Data for Name: t; Type: TABLE DATA; Schema: public; Owner: -',
  '--',
  'COPY public.t (a, "b c") FROM stdin;',
  'COPY public.not_a_table (a) FROM stdin;',
  '-- Data for Name: BLOBS; Type: BLOBS; Schema: -; Owner: -',
  'BEGIN;',
  '\\.x',
  '\\.',
  'COPY public.empty (a) FROM stdin;',
  '\\.',
  'COPY "Gr ""ü"""."x.y" ("new',
  'line") FROM stdin;',
  '1',
  '\\.',
  'COPY public.no_columns  FROM stdin;',
  '',
  '\\.',
  '--',
  '-- Name: s; Type: SEQUENCE; Schema: public; Owner: -',
  '--',
  'CREATE SEQUENCE public.s',
  '--',
  '-- Name: of_an_extension; Type: SEQUENCE SET; Schema: public; Owner: -',
  '--',
  "SELECT pg_catalog.setval('public.of_an_extension', 7, true);",
  '--',
  '-- Name: s; Type: SEQUENCE SET; Schema: public; Owner: -',
  '--',
  "SELECT pg_catalog.setval('public.s', 42, true);",
  '--',
  '-- Data for Name: BLOBS; Type: BLOBS; Schema: -; Owner: -',
  '--',
  'BEGIN;',
  "SELECT pg_catalog.lo_open('1', 131072);",
  'COMMIT;',
  'last line without newline',
].join('\n');

const KEPT = SCRIPT.replace('\\restrict abc\n', '')
  .replace('Owner: -\n--\nCREATE SCHEMA public;\n', 'Owner: -\n--\n')
  .replace('BEGIN;\nSELECT', 'SELECT')
  .replace('COMMIT;\nlast', 'last');

function run(chunks: Buffer[], dropTransactionTimeout: boolean): { kept: string; lines: PlainLines } {
  const lines = new PlainLines({ dropTransactionTimeout });
  const out: Buffer[] = chunks.map((chunk) => Buffer.from(lines.read(chunk)));
  out.push(lines.end());
  return { kept: Buffer.concat(out).toString(), lines };
}

describe('PlainLines', () => {
  it('finds tables and sequences, and takes out what hinders one transaction, wherever the chunks end', () => {
    const bytes = Buffer.from(SCRIPT);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const { kept, lines } = run([bytes.subarray(0, cut), bytes.subarray(cut)], false);
      expect(kept).toBe(KEPT);
      expect(lines.tables).toEqual(['Gr "ü".x.y', 'public.empty', 'public.no_columns', 'public.t']);
      expect(lines.positions).toEqual(["SELECT pg_catalog.setval('public.s', 42, true);"]);
    }
  });

  it('works byte by byte', () => {
    const bytes = [...Buffer.from(SCRIPT)].map((byte) => Buffer.from([byte]));
    expect(run(bytes, false).kept).toBe(KEPT);
  });

  it('takes out the setting that old servers do not know, when asked', () => {
    expect(run([Buffer.from(SCRIPT)], true).kept).toBe(KEPT.replace('SET transaction_timeout = 0;\n', ''));
  });
});
