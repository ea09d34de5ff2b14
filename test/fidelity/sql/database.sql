-- What belongs to the database as a whole, and rights.

CREATE EXTENSION postgres_fdw;
CREATE EXTENSION file_fdw;
CREATE SERVER elsewhere TYPE 'some' VERSION '1.0' FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', dbname 'no''where', port '1');
ALTER SERVER elsewhere OWNER TO {owner};
CREATE USER MAPPING FOR {owner} SERVER elsewhere OPTIONS (user 'nobody', password 'fake-password');
CREATE USER MAPPING FOR PUBLIC SERVER elsewhere;
CREATE FOREIGN TABLE app.remote (id int OPTIONS (column_name 'ID') NOT NULL, body text COLLATE "C" DEFAULT 'x', CHECK (id > 0)) SERVER elsewhere OPTIONS (schema_name 'public', table_name 't');
COMMENT ON FOREIGN TABLE app.remote IS 'not here';
CREATE TABLE app.partly_remote (at timestamptz, n int) PARTITION BY RANGE (at);
CREATE FOREIGN TABLE app.far_part PARTITION OF app.partly_remote FOR VALUES FROM ('2010-01-01 00:00+00') TO ('2011-01-01 00:00+00') SERVER elsewhere;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE app.lines_of_file (line text) SERVER files OPTIONS (filename '/no/such/file', format 'csv');
CREATE FOREIGN DATA WRAPPER handless OPTIONS (debug 'true');
COMMENT ON FOREIGN DATA WRAPPER handless IS 'cannot do a thing';
CREATE SERVER nothing FOREIGN DATA WRAPPER handless;
COMMENT ON SERVER nothing IS 'nobody is there';
GRANT USAGE ON FOREIGN SERVER elsewhere TO {reader};
GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO {reader} WITH GRANT OPTION;

CREATE FUNCTION app.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
CREATE EVENT TRIGGER {owner}_ddl ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'DROP TABLE') EXECUTE FUNCTION app.on_ddl();
CREATE EVENT TRIGGER {owner}_drop ON sql_drop EXECUTE FUNCTION app.on_ddl();
ALTER EVENT TRIGGER {owner}_drop DISABLE;
COMMENT ON EVENT TRIGGER {owner}_ddl IS 'watches';

CREATE PUBLICATION everything FOR ALL TABLES WITH (publish = 'insert, truncate');
CREATE PUBLICATION some_tables FOR TABLE app.identified, app.people (id, name) WHERE (id > 10), TABLE ONLY app.animals WITH (publish_via_partition_root = true);
CREATE PUBLICATION whole_schema FOR TABLES IN SCHEMA app, TABLE "Größe & ""Ziel""; DROP"."Tabelle ""1""
mit Zeile";
CREATE PUBLICATION nobody;
COMMENT ON PUBLICATION nobody IS 'none';
ALTER PUBLICATION nobody OWNER TO {owner};
CREATE SUBSCRIPTION {owner}_sub CONNECTION 'host=127.0.0.1 port=1 dbname=nowhere' PUBLICATION one, two
  WITH (connect = false, slot_name = NONE, binary = true, synchronous_commit = 'off');
COMMENT ON SUBSCRIPTION {owner}_sub IS 'sleeps';

SELECT lo_from_bytea(4711, decode(repeat('00ff41', 5000), 'hex')), lo_from_bytea(4712, ''), lo_from_bytea(900000, '\x5c2e0a');
SELECT lo_put(4713, 3000000, 'a hole before') FROM (SELECT lo_create(4713)) AS made;
ALTER LARGE OBJECT 4711 OWNER TO {owner};
GRANT SELECT, UPDATE ON LARGE OBJECT 4712 TO {reader};
REVOKE SELECT ON LARGE OBJECT 4711 FROM {owner};
COMMENT ON LARGE OBJECT 4711 IS 'a large one';

GRANT CREATE ON SCHEMA app TO {reader} WITH GRANT OPTION;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO {reader};
GRANT SELECT, INSERT, REFERENCES ON app.animals TO {reader};
GRANT SELECT (id, name), UPDATE (name) ON app.people TO {reader};
GRANT ALL ON app.identified TO PUBLIC;
REVOKE ALL ON app.identified_full FROM CURRENT_USER;
GRANT EXECUTE ON FUNCTION app.add(int, int, int[]) TO {reader};
REVOKE EXECUTE ON FUNCTION app.modern(int, int) FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE app.proc(int, int) TO {owner};
GRANT USAGE ON TYPE app.mood TO {reader};
REVOKE USAGE ON DOMAIN app.percent FROM PUBLIC;
REVOKE USAGE ON LANGUAGE plours FROM PUBLIC;
GRANT USAGE ON LANGUAGE plours TO {owner};
GRANT SELECT ON pg_catalog.pg_authid TO {reader};
REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(double precision) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION public.akeys(hstore) FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT SELECT ON TABLES TO {reader};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA app GRANT ALL ON SEQUENCES TO {reader} WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA app GRANT USAGE ON TYPES TO {reader};

-- Settings of the database itself: no dump holds them, and the test says so.
ALTER DATABASE {database} SET statement_timeout = '1h';
ALTER ROLE {reader} IN DATABASE {database} SET work_mem = '8MB';
