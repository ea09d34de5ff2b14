-- Values that print in an odd way, at the ends of their ranges, or at great length.

INSERT INTO app.people (name, nick, mood, score, place, nested, matrix, words, times, letters, many, during, spans, tags, tree, book, doc, raw,
                        markup, bits, area, spot, round, way, shape, edge, address, net, mac, mac8, price, body, wanted, took, short_time, fixed, one, seen, lsn, boss)
SELECT 'Größe ' || i, 'Nick' || i, (ARRAY['so sad', 'ok', 'hap''py', '😀']::app.mood[])[1 + i % 4], i % 90, ROW(i, -i, i / 3.0, 'a,"b"(c)\')::app.point3,
       ROW(NULL, ARRAY[ROW(1, 2, 3, NULL)::app.point3, NULL])::app.nested, ARRAY[[1, NULL], [i, 4]], ARRAY['', 'NULL', NULL, '{"', '\'], app.timerange('08:00', '09:00:00.5'),
       app.textrange('a"', 'b,'), app.many_times(app.timerange('01:00', '02:00'), app.timerange('03:00', NULL)), tstzrange(timestamptz '2026-01-01 00:00+00' + i * interval '1 day', NULL),
       '{[1,2),(3.5,]}', hstore(ARRAY['a"', NULL, '=>', '\']), ('top.n' || i)::ltree, '978-0-393-04002-9', jsonb_build_object('n', i, 'ä', ARRAY[1.50, 2], 'u', E'\u0001'),
       '{ "kept" :  "as  is", "kept": 2 }', '<a b="1">&amp;<!-- c --></a>', B'1010', box(point(0, 0), point(i, i)), point(1e300, -0.1), circle(point(1, 2), 3), '[(0,0),(1,1),(2,0)]',
       '((0,0),(1,1),(2,0))', '[(0,0),(1,1)]', '::ffff:10.0.0.1/100', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', -12345.67, to_tsvector('simple', 'a fat cat'), 'fat & !cat:ab*',
       '-1 year -2 mons +3 days -04:05:06.789', '23:59:59.99-12:30', 'ab', E'\\', '18446744073709551615', 'FFFFFFFF/FFFFFFFF', NULL
  FROM generate_series(1, 300) i;
UPDATE app.people SET boss = 100 WHERE id > 2000;
DELETE FROM app.people WHERE id BETWEEN 500 AND 600;

CREATE TABLE app.extremes (what text, f4 real, f8 double precision, num numeric, small numeric(3, -2), at timestamp, atz timestamptz, day date, hour time, span interval, i2 smallint, i8 bigint);
INSERT INTO app.extremes VALUES
  ('nan', 'NaN', 'NaN', 'NaN', 'NaN', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  ('infinity', 'Infinity', 'Infinity', 'Infinity', NULL, 'infinity', 'infinity', 'infinity', '24:00', NULL, 32767, 9223372036854775807),
  ('-infinity', '-Infinity', '-Infinity', '-Infinity', NULL, '-infinity', '-infinity', '-infinity', '00:00', NULL, -32768, -9223372036854775808),
  ('minus zero', '-0', '-0', '-0', 0, '4713-01-01 00:00:00 BC', '4714-11-24 00:00:00+00 BC', '4713-01-01 BC', '23:59:59.999999', '-178000000 years', 0, 0),
  ('tiny', 1.4e-45, 4.9e-324, '1e-16383', 100, '294276-12-31 23:59:59.999999', '294276-12-31 23:59:59.999999+00', '5874897-12-31', '12:00', '178000000 years', 1, 1),
  ('huge', 3.4028235e38, 1.7976931348623157e308, ('1' || repeat('0', 130000) || '.' || repeat('9', 16000))::numeric, -99900, '2024-02-29 12:00', NULL, '0001-01-01', NULL, '1 mon -1 day 00:00:00.000001', NULL, NULL),
  ('precise', 0.1, 0.1 + 0.2::float8, 0.1000, 12345, 'epoch', 'epoch', 'epoch', '00:00:00.000001', '0', NULL, NULL),
  (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  ('', 0, 0, 0, 0, '2026-03-29 02:30', '2026-03-29 02:30+02', '2024-02-29', '02:30', '1 day -24:00', NULL, NULL);

-- Every code point that UTF-8 can hold but zero, which PostgreSQL cannot store; and the escapes of COPY.
CREATE TABLE app.code_points (first int PRIMARY KEY, characters text);
INSERT INTO app.code_points
SELECT block * 4096, string_agg(chr(point), '' ORDER BY point)
  FROM generate_series(0, 271) AS block CROSS JOIN LATERAL generate_series(block * 4096, block * 4096 + 4095) AS point
 WHERE point <> 0 AND point NOT BETWEEN 55296 AND 57343 GROUP BY block;
CREATE TABLE app.escapes (id int, line text, bytes bytea);
INSERT INTO app.escapes VALUES
  (1, E'\\.', '\x5c2e'), (2, E'\\.\n', '\x00'), (3, E'\n\\.\n', '\x5c2e0a'), (4, '\N', ''), (5, E'\t\b\f\r\n\v\\', '\x09080c0d0a0b5c'), (6, '', NULL), (7, NULL, '\xff'),
  (8, E'--\n-- PostgreSQL database dump complete\n--\n\n', NULL), (9, 'COPY app.escapes FROM stdin;', NULL), (10, E'\\connect postgres', NULL);
INSERT INTO app.escapes SELECT 100 + i, NULL, set_byte('\x00', 0, i) FROM generate_series(0, 255) i;

-- The limit is 1 GB; long enough to be cut into many pieces of an archive, of TOAST and of a stream.
CREATE TABLE app.long_values (id int, body text, bytes bytea, doc jsonb);
ALTER TABLE app.long_values ALTER COLUMN bytes SET STORAGE EXTERNAL;
INSERT INTO app.long_values VALUES (1, repeat('ä lange Zeile\n', 600000), decode(repeat('00ff5c2e0a', 800000), 'hex'), NULL),
  (2, NULL, NULL, (SELECT jsonb_object_agg('k' || i, repeat('v', i % 50)) FROM generate_series(1, 20000) i));

-- As many columns as there can be.
DO $$ BEGIN
  EXECUTE (SELECT 'CREATE TABLE app.widest (' || string_agg(format('c%s int%s', i, CASE i % 3 WHEN 0 THEN ' DEFAULT ' || i ELSE '' END), ', ' ORDER BY i) || ')' FROM generate_series(1, 1600) i);
END $$;
INSERT INTO app.widest DEFAULT VALUES;
INSERT INTO app.widest (c1, c1600) VALUES (1, -1), (NULL, 2);

REFRESH MATERIALIZED VIEW app.totals;
REFRESH MATERIALIZED VIEW app.totals_more;
