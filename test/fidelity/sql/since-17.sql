-- What came with PostgreSQL 16 and 17.
CREATE COLLATION app.ruled (provider = icu, locale = 'und', rules = '&a < g');
CREATE TABLE app.stored_otherwise (a text STORAGE EXTERNAL COMPRESSION pglz);
CREATE TABLE app.identity_parts (id int GENERATED ALWAYS AS IDENTITY, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE app.identity_parts_1 PARTITION OF app.identity_parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO app.identity_parts (at) VALUES ('2026-05-05'), ('2026-06-06');
CREATE COLLATION app.built_in (provider = builtin, locale = 'C.UTF-8');
CREATE FUNCTION app.on_login() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
CREATE EVENT TRIGGER {owner}_login ON login EXECUTE FUNCTION app.on_login();
INSERT INTO app.extremes (what, span) VALUES ('endless', 'infinity'), ('endless back', '-infinity');
GRANT MAINTAIN ON app.animals TO {reader};
