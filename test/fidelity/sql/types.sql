-- Types, code, operators, text search, languages: everything that a table may need before it is made.
-- {owner} and {reader} are roles of the test, {owner} is a tablespace, too; {database} is the database.

CREATE EXTENSION hstore;
CREATE EXTENSION btree_gist;
CREATE EXTENSION btree_gin;
CREATE EXTENSION pg_trgm;
CREATE EXTENSION ltree;
CREATE EXTENSION isn;
CREATE EXTENSION bloom;
CREATE SCHEMA ext;
CREATE EXTENSION "uuid-ossp" SCHEMA ext;
COMMENT ON EXTENSION hstore IS 'a comment of ours on an extension';

CREATE SCHEMA app AUTHORIZATION {owner};
CREATE SCHEMA "Größe & ""Ziel""; DROP";
COMMENT ON SCHEMA app IS E'quotes '' and \\ and\na second line; -- and a dash';

CREATE TYPE app.mood AS ENUM ('sad', 'ok', 'hap''py', '😀');
ALTER TYPE app.mood ADD VALUE 'between' BEFORE 'ok';
ALTER TYPE app.mood RENAME VALUE 'sad' TO 'so sad';
CREATE TYPE app.point3 AS (x float8, y float8, "Z axis" numeric(10, 3), label text COLLATE "C");
ALTER TYPE app.point3 ADD ATTRIBUTE gone int;
ALTER TYPE app.point3 DROP ATTRIBUTE gone;
CREATE TYPE app.nested AS (head app.point3, tail app.point3[]);
COMMENT ON TYPE app.point3 IS 'three of them';
COMMENT ON COLUMN app.point3."Z axis" IS 'up';
CREATE DOMAIN app.percent AS numeric(5, 2) DEFAULT 50 CONSTRAINT in_range CHECK (VALUE BETWEEN 0 AND 100);
CREATE DOMAIN app.strict_percent AS app.percent NOT NULL;
ALTER DOMAIN app.strict_percent ADD CONSTRAINT not_thirteen CHECK (VALUE <> 13) NOT VALID;
CREATE DOMAIN app.words AS text[] CHECK (cardinality(VALUE) < 100);
COMMENT ON DOMAIN app.percent IS 'of a hundred';
COMMENT ON CONSTRAINT in_range ON DOMAIN app.percent IS 'as it must be';
CREATE FUNCTION app.time_diff(a time, b time) RETURNS float8 LANGUAGE sql IMMUTABLE STRICT AS 'SELECT extract(epoch FROM a - b)::float8';
CREATE TYPE app.timerange AS RANGE (subtype = time, subtype_diff = app.time_diff, multirange_type_name = app.many_times);
CREATE TYPE app.textrange AS RANGE (subtype = text, collation = "C");
CREATE TYPE app.shell_only;

-- A base type with functions of the server's own.
CREATE TYPE app.my_int;
CREATE FUNCTION app.my_int_in(cstring) RETURNS app.my_int LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION app.my_int_out(app.my_int) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE app.my_int (INPUT = app.my_int_in, OUTPUT = app.my_int_out, LIKE = int4, CATEGORY = 'N', DEFAULT = '7');

CREATE COLLATION app.german (provider = icu, locale = 'de-u-co-phonebk');
CREATE COLLATION app.caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE COLLATION app.bytewise (provider = libc, locale = 'C');
COMMENT ON COLLATION app.caseless IS 'A equals a';

CREATE FUNCTION app.add(a int, b int DEFAULT 2, VARIADIC more int[] DEFAULT '{}') RETURNS int
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 7 AS 'SELECT a + b + cardinality(more)';
CREATE FUNCTION app.set_of(OUT n int, OUT label text) RETURNS SETOF record LANGUAGE sql ROWS 3 STABLE
  SET search_path = app, pg_catalog SET work_mem = '5MB' SECURITY DEFINER AS $$ VALUES (1, 'one'), (2, '$body$ '' ; --') $$;
CREATE FUNCTION app.as_table(x anyelement) RETURNS TABLE (y anyelement, z anyarray) LANGUAGE plpgsql AS $f$
BEGIN
  RETURN QUERY SELECT x, ARRAY[x]; -- a comment with 'quotes' and \backslashes
END $f$;
CREATE FUNCTION app.modern(a int, b int) RETURNS int LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT a * b; END;
CREATE FUNCTION app.overloaded(int) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'int' $$;
CREATE FUNCTION app.overloaded(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'text' $$;
CREATE PROCEDURE app.proc(IN a int, INOUT b int DEFAULT 1) LANGUAGE plpgsql AS $$ BEGIN b := a + b; END $$;
CREATE FUNCTION app.changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION app.after_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
COMMENT ON FUNCTION app.overloaded(text) IS 'the one for text';
COMMENT ON PROCEDURE app.proc(int, int) IS 'does little';
ALTER FUNCTION app.modern(int, int) OWNER TO {owner};
ALTER ROUTINE app.add(int, int, int[]) DEPENDS ON EXTENSION hstore;

CREATE AGGREGATE app.total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0', COMBINEFUNC = int4pl, PARALLEL = SAFE,
  MSFUNC = int4pl, MINVFUNC = int4mi, MSTYPE = int);
CREATE AGGREGATE app.share_of(float8 ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
COMMENT ON AGGREGATE app.total(int) IS 'sums';

CREATE FUNCTION app.near(int, int) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS 'SELECT abs($1 - $2) < 2';
CREATE FUNCTION app.far(int, int) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS 'SELECT abs($1 - $2) >= 2';
CREATE OPERATOR app.<~> (FUNCTION = app.near, LEFTARG = int, RIGHTARG = int, COMMUTATOR = OPERATOR(app.<~>), NEGATOR = OPERATOR(app.<!~>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
CREATE OPERATOR app.<!~> (FUNCTION = app.far, LEFTARG = int, RIGHTARG = int, COMMUTATOR = OPERATOR(app.<!~>), NEGATOR = OPERATOR(app.<~>));
CREATE OPERATOR app.!! (FUNCTION = numeric_abs, RIGHTARG = numeric);
COMMENT ON OPERATOR app.<~> (int, int) IS 'nearly';
CREATE OPERATOR FAMILY app.lonely USING btree;
CREATE FUNCTION app.backwards(int, int) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $2 - $1';
CREATE OPERATOR CLASS app.int_backwards FOR TYPE int USING btree AS
  OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 app.backwards(int, int);
ALTER OPERATOR FAMILY app.int_backwards USING btree ADD FUNCTION 2 (int, int) btint4sortsupport(internal);
COMMENT ON OPERATOR CLASS app.int_backwards USING btree IS 'from the end';
COMMENT ON OPERATOR FAMILY app.lonely USING btree IS 'nobody in it';

CREATE FUNCTION app.mood_number(app.mood) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT length($1::text) $$;
CREATE CAST (app.mood AS int) WITH FUNCTION app.mood_number(app.mood) AS ASSIGNMENT;
CREATE CAST (app.my_int AS int) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (app.point3 AS app.nested) WITH INOUT;
COMMENT ON CAST (app.mood AS int) IS 'how long';
CREATE CONVERSION app.latin_to_utf FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE DEFAULT CONVERSION app.utf_to_latin FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;
COMMENT ON CONVERSION app.latin_to_utf IS 'wide';

CREATE TEXT SEARCH TEMPLATE app.simple_template (LEXIZE = dsimple_lexize, INIT = dsimple_init);
CREATE TEXT SEARCH DICTIONARY app.words_of_ours (TEMPLATE = app.simple_template, STOPWORDS = english, accept = false);
CREATE TEXT SEARCH PARSER app.parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype, HEADLINE = prsd_headline);
CREATE TEXT SEARCH CONFIGURATION app.search (PARSER = app.parser);
ALTER TEXT SEARCH CONFIGURATION app.search ADD MAPPING FOR asciiword, word WITH app.words_of_ours, english_stem;
CREATE TEXT SEARCH CONFIGURATION app.copied (COPY = german);
ALTER TEXT SEARCH CONFIGURATION app.copied OWNER TO {owner};
COMMENT ON TEXT SEARCH CONFIGURATION app.search IS 'ours';
COMMENT ON TEXT SEARCH DICTIONARY app.words_of_ours IS 'few';
COMMENT ON TEXT SEARCH PARSER app.parser IS 'the usual one';
COMMENT ON TEXT SEARCH TEMPLATE app.simple_template IS 'simple';

-- pg_dump needs a handler that is dumped itself: of one in pg_catalog it writes a statement without any, which makes an extension.
CREATE FUNCTION app.plours_call() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION app.plours_inline(internal) RETURNS void LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_inline_handler';
CREATE FUNCTION app.plours_check(oid) RETURNS void LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_validator';
CREATE TRUSTED LANGUAGE plours HANDLER app.plours_call INLINE app.plours_inline VALIDATOR app.plours_check;
COMMENT ON LANGUAGE plours IS 'a dialect';
CREATE FUNCTION app.in_ours() RETURNS int LANGUAGE plours AS 'BEGIN RETURN 1; END';
CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal));
COMMENT ON TRANSFORM FOR int LANGUAGE sql IS 'never used';
CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;
CREATE ACCESS METHOD gist2 TYPE INDEX HANDLER gisthandler;
COMMENT ON ACCESS METHOD gist2 IS 'a second one';
CREATE OPERATOR CLASS app.box_ops2 DEFAULT FOR TYPE box USING gist2 AS
  OPERATOR 1 <<, OPERATOR 3 &&, FUNCTION 1 gist_box_consistent(internal, box, smallint, oid, internal),
  FUNCTION 2 gist_box_union(internal, internal), FUNCTION 5 gist_box_penalty(internal, internal, internal),
  FUNCTION 6 gist_box_picksplit(internal, internal), FUNCTION 7 gist_box_same(box, box, internal);

CREATE SEQUENCE app.free_seq AS smallint START 5 INCREMENT BY -3 MINVALUE -100 MAXVALUE 10 CACHE 4 CYCLE;
SELECT nextval('app.free_seq'), nextval('app.free_seq');
CREATE SEQUENCE app.never_called START 9223372036854775807 MAXVALUE 9223372036854775807;
CREATE UNLOGGED SEQUENCE app.unlogged_seq;
CREATE SEQUENCE app."It's ""quoted"" \ seq";
SELECT setval('app."It''s ""quoted"" \ seq"', 42, false);
COMMENT ON SEQUENCE app.free_seq IS 'runs down';
ALTER SEQUENCE app.free_seq OWNER TO {owner};
GRANT USAGE ON SEQUENCE app.free_seq TO {reader};
