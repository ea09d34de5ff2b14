import { describe, expect, it } from 'vitest';

import type { ArchiveToc, TocEntry } from './archive-toc.js';
import { ExtensionsMissingError } from './postgres.errors.js';
import { planRestore, referencedTable, type RestoreTarget, rolesOfRights } from './restore-plan.js';

let nextId = 1;

function entry(kind: string, tag: string, more: Partial<TocEntry> = {}): TocEntry {
  nextId += 1;
  return {
    dumpId: nextId,
    kind,
    tag,
    schema: 'public',
    owner: 'ann',
    tablespace: '',
    definition: '',
    dependencies: [],
    hasData: false,
    ...more,
  };
}

function toc(...entries: TocEntry[]): ArchiveToc {
  return {
    formatVersion: '1.16',
    databaseName: 'shop',
    serverVersion: '17.6',
    serverMajor: 17,
    toolVersion: '17.6',
    toolMajor: 17,
    entries,
    layout: { tocBytes: 0, intBytes: 4, blocks: 0 },
  };
}

const target: RestoreTarget = {
  major: 17,
  isSuperuser: true,
  user: 'postgres',
  publicCreators: new Set(['postgres']),
  roles: new Set(['ann', 'bob', 'postgres']),
  assignableRoles: new Set(['ann', 'bob', 'postgres']),
  schemas: new Set(['public', 'pg_catalog']),
  tablespaces: new Set(['pg_default']),
  extensions: new Set(['hstore', 'plpgsql']),
  lockLimit: 6400,
};

describe('planRestore', () => {
  it('takes everything when nothing is in the way', () => {
    const archive = toc(
      entry('SCHEMA', 'shop'),
      entry('EXTENSION', 'hstore', { owner: '' }),
      entry('TABLE', 't'),
    );
    expect(planRestore(archive, target)).toEqual({
      entries: archive.entries,
      isComplete: true,
      noOwner: false,
      noTablespaces: false,
      isAtomic: true,
      notes: [],
    });
  });

  it('leaves out a schema that is there already, and speaks of it unless it is public', () => {
    const archive = toc(entry('SCHEMA', 'public'), entry('SCHEMA', 'pg_catalog'), entry('TABLE', 't'));
    const plan = planRestore(archive, target);
    expect(plan.entries.map(({ tag }) => tag)).toEqual(['t']);
    expect(plan.isComplete).toBe(false);
    expect(plan.notes).toEqual(['the schema "pg_catalog" is there already']);
  });

  it('gives up owners when one is missing, and names it', () => {
    const plan = planRestore(toc(entry('TABLE', 't', { owner: 'carl' })), target);
    expect(plan.noOwner).toBe(true);
    expect(plan.notes[0]).toContain('no role "carl"');
  });

  it('gives up owners that the user may not give things to', () => {
    const plan = planRestore(toc(entry('TABLE', 't', { owner: 'bob' })), {
      ...target,
      assignableRoles: new Set(['ann']),
    });
    expect(plan.noOwner).toBe(true);
    expect(plan.notes[0]).toContain('no member of "bob"');
  });

  it('gives up owners who may not create where their things are, unless a superuser restores', () => {
    const user = { ...target, isSuperuser: false, user: 'ann', publicCreators: new Set(['ann']) };
    const inPublic = toc(entry('TABLE', 't', { owner: 'bob' }));
    const plan = planRestore(inPublic, user);
    expect(plan.noOwner).toBe(true);
    expect(plan.notes).toEqual([
      'owners are not restored: "bob" may not create in the schema "public", and only a superuser may give things there ' +
        'to such a role; everything belongs to the restoring user',
    ]);
    expect(planRestore(inPublic, target)).toMatchObject({ noOwner: false, notes: [] });
    const may = { ...user, publicCreators: new Set(['ann', 'bob']) };
    expect(planRestore(inPublic, may)).toMatchObject({ noOwner: false, notes: [] });
    const inHis = toc(
      entry('SCHEMA', 'shop', { schema: '', owner: 'bob' }),
      entry('TABLE', 't', { schema: 'shop', owner: 'bob' }),
      entry('TABLE', 'u', { owner: 'ann' }),
    );
    expect(planRestore(inHis, user)).toMatchObject({ noOwner: false, notes: [] });
  });

  it('does not mind who owns the database, or a schema that is there', () => {
    const database = entry('DATABASE', 'shop', { schema: '', owner: 'nobody' });
    const schema = entry('SCHEMA', 'public', { schema: '', owner: 'nobody' });
    expect(planRestore(toc(database, schema), target)).toMatchObject({ noOwner: false, notes: [] });
  });

  it('leaves out only the rights that name missing roles', () => {
    const known = entry('ACL', 'TABLE t', { definition: 'GRANT SELECT ON TABLE public.t TO bob;\n' });
    const unknown = entry('ACL', 'TABLE u', { definition: 'GRANT SELECT ON TABLE public.u TO "x y";\n' });
    const plan = planRestore(toc(known, unknown), target);
    expect(plan.entries).toEqual([known]);
    expect(plan.notes).toEqual(['rights on TABLE u are left out: the server has no role "x y"']);
  });

  it('leaves out tablespaces that are missing', () => {
    expect(planRestore(toc(entry('TABLE', 't', { tablespace: 'fast' })), target)).toMatchObject({
      noTablespaces: true,
    });
  });

  it('leaves out a foreign key whose table is not in the archive', () => {
    const definition =
      'ALTER TABLE ONLY public.t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES public.gone(id);\n';
    const plan = planRestore(toc(entry('TABLE', 't'), entry('FK CONSTRAINT', 't f', { definition })), target);
    expect(plan.entries.map(({ kind }) => kind)).toEqual(['TABLE']);
    expect(plan.notes).toEqual(['the foreign key t f is left out: the archive has no table public.gone']);
  });

  it('does without one transaction when the server cannot lock so much', () => {
    const tables = Array.from({ length: 1000 }, (_, number) => entry('TABLE', `t${number}`));
    const blobs = entry('BLOB METADATA', '1..1000', { definition: 'x\n'.repeat(2000) });
    expect(planRestore(toc(...tables), target).isAtomic).toBe(true);
    expect(planRestore(toc(...tables, blobs), target)).toMatchObject({
      isAtomic: false,
      notes: [
        'restored in many transactions: about 5001 objects are more than the server can lock in one (6400)',
      ],
    });
  });

  it('leaves comments on extensions to those who may write them', () => {
    const archive = toc(entry('COMMENT', 'EXTENSION hstore'), entry('COMMENT', 'TABLE t'));
    expect(planRestore(archive, target).entries).toHaveLength(2);
    expect(planRestore(archive, { ...target, isSuperuser: false }).entries.map(({ tag }) => tag)).toEqual([
      'TABLE t',
    ]);
  });

  it('refuses an archive that needs extensions the server does not have', () => {
    const archive = toc(entry('EXTENSION', 'postgis'), entry('EXTENSION', 'hstore'));
    expect(() => planRestore(archive, target)).toThrow(ExtensionsMissingError);
    expect(() => planRestore(archive, target)).toThrow(/postgis/);
  });
});

describe('rolesOfRights', () => {
  it.each([
    ['GRANT SELECT,INSERT ON TABLE public.t TO bob;', ['bob']],
    ['GRANT ALL ON SCHEMA x TO PUBLIC;', []],
    ['GRANT SELECT(a) ON TABLE public.t TO "a ""b"" c" WITH GRANT OPTION;', ['a "b" c']],
    [
      'REVOKE ALL ON FUNCTION public.f(a integer) FROM PUBLIC;\nGRANT ALL ON FUNCTION public.f(a integer) TO ann;',
      ['ann'],
    ],
    ['ALTER DEFAULT PRIVILEGES FOR ROLE ann IN SCHEMA public GRANT SELECT ON TABLES TO bob;', ['ann', 'bob']],
    [
      'SET SESSION AUTHORIZATION carl;\nGRANT SELECT ON TABLE public.t TO bob;\nRESET SESSION AUTHORIZATION;',
      ['bob', 'carl'],
    ],
    ['GRANT USAGE ON SCHEMA x TO größe;', ['größe']],
  ])('of %s', (definition, roles) => {
    expect(rolesOfRights(definition)).toEqual(roles);
  });
});

describe('referencedTable', () => {
  it.each([
    [
      'ALTER TABLE ONLY public.t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES public.u(id) ON DELETE CASCADE;',
      'public.u',
    ],
    ['ALTER TABLE public.t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES "A b"."c""d"(id);', 'A b.c"d'],
    ['ALTER TABLE public.t ADD CONSTRAINT c CHECK (a > 0);', undefined],
  ])('of %s', (definition, table) => {
    expect(referencedTable(definition)).toBe(table);
  });
});
