-- What came with PostgreSQL 18.
CREATE TABLE app.virtual (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) VIRTUAL, label text GENERATED ALWAYS AS ('n' || id) STORED);
INSERT INTO app.virtual SELECT generate_series(1, 10);
CREATE TABLE app.not_nulls (a int CONSTRAINT a_is_there NOT NULL, b int, CONSTRAINT b_is_there NOT NULL b NO INHERIT);
INSERT INTO app.not_nulls VALUES (1, 2);
CREATE TABLE app.not_null_later (a int);
INSERT INTO app.not_null_later VALUES (NULL);
ALTER TABLE app.not_null_later ADD CONSTRAINT later NOT NULL a NOT VALID;
COMMENT ON CONSTRAINT a_is_there ON app.not_nulls IS 'named';
CREATE TABLE app.rooms (room int, during tstzrange, PRIMARY KEY (room, during WITHOUT OVERLAPS));
CREATE TABLE app.stays (room int, during tstzrange, FOREIGN KEY (room, PERIOD during) REFERENCES app.rooms (room, PERIOD during));
INSERT INTO app.rooms VALUES (1, '[2026-01-01,2026-02-01)'), (1, '[2026-02-01,2026-03-01)');
INSERT INTO app.stays VALUES (1, '[2026-01-15,2026-02-15)');
CREATE TABLE app.loosely (id int, boss int, CONSTRAINT loose FOREIGN KEY (boss) REFERENCES app.people NOT ENFORCED, CONSTRAINT unchecked CHECK (id > 0) NOT ENFORCED);
INSERT INTO app.loosely VALUES (-1, -1);
CREATE PUBLICATION with_generated FOR TABLE app.virtual WITH (publish_generated_columns = stored);
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT SELECT ON LARGE OBJECTS TO {reader};
