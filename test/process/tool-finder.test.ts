import { chmod, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { SystemClock } from '../../src/clock/system-clock.js';
import { ManualClock } from '../support/manual-clock.ts';
import { until } from '../support/until.ts';
import { smallestAtLeast, ToolFinder } from '../../src/process/tool-finder.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backstop-finder-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function tool(path: string, says: string): Promise<string> {
  const file = join(folder, path);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, `#!/bin/sh\n${says}\n`);
  await chmod(file, 0o755);
  return file;
}

const says = (version: string): string => `echo "pg_dump (PostgreSQL) ${version}"`;

function finder(search: { folders?: string[]; patterns?: string[]; path?: string }): ToolFinder {
  return new ToolFinder({ folders: [], patterns: [], path: '', ...search }, new SystemClock());
}

describe('ToolFinder', () => {
  it('finds each major once, newest first, in folders, patterns and PATH', async () => {
    await tool('named/pg_dump', says('17.6'));
    await tool('lib/15/bin/pg_dump', says('15.18 (Debian 15.18-0+deb12u1)'));
    await tool('lib/17/bin/pg_dump', says('17.1'));
    await tool('path/pg_dump', says('18beta1'));
    const found = await finder({
      folders: [join(folder, 'named')],
      patterns: [join(folder, 'lib/*/bin')],
      path: `relative:${join(folder, 'path')}:/nowhere`,
    }).find('pg_dump');
    expect(found.map(({ version, major }) => [version, major])).toEqual([
      ['18beta1', 18],
      ['17.6', 17],
      ['15.18', 15],
    ]);
  });

  it('leaves out what does not answer, is not executable, or is the same file by another name', async () => {
    const real = await tool('a/pg_dump', says('16.2'));
    await tool('b/pg_dump', 'exit 1');
    await tool('c/pg_dump', 'echo no number');
    await mkdir(join(folder, 'd'));
    await writeFile(join(folder, 'd/pg_dump'), 'text');
    await mkdir(join(folder, 'e'));
    await symlink(real, join(folder, 'e/pg_dump'));
    const found = await finder({ patterns: [join(folder, '*')] }).find('pg_dump');
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ version: '16.2' });
  });

  it('says of one that is only slow that it did not answer, and asks it again', async () => {
    const file = await tool('bin/pg_dump', `[ -e "$0.awake" ] || exec sleep 60; ${says('17.1')}`);
    const clock = new ManualClock();
    const tools = new ToolFinder({ folders: [join(folder, 'bin')], patterns: [], path: '' }, clock);
    let slow: Awaited<ReturnType<ToolFinder['search']>> | undefined;
    void tools.search('pg_dump').then((answer) => (slow = answer));
    await until('the finder to give up', () => {
      clock.advance(1_000);
      return slow;
    });
    expect(slow).toMatchObject({ found: [], unanswered: { code: 'tool-unanswered', retryable: true } });
    await writeFile(`${file}.awake`, '');
    expect((await tools.search('pg_dump')).found).toMatchObject([{ version: '17.1' }]);
  });

  it('asks again only when the file changed, and sees what is installed later', async () => {
    const tools = finder({ folders: [join(folder, 'bin')] });
    expect(await tools.find('pg_dump')).toEqual([]);
    const log = join(folder, 'asked');
    const file = await tool('bin/pg_dump', `echo x >> '${log}'; ${says('16.1')}`);
    expect(await tools.find('pg_dump')).toMatchObject([{ version: '16.1' }]);
    await rm(log);
    expect(await tools.find('pg_dump')).toMatchObject([{ version: '16.1' }]);
    await expect(rm(log)).rejects.toMatchObject({ code: 'ENOENT' });
    await writeFile(file, `#!/bin/sh\n${says('16.22')}\n`);
    await utimes(file, 1, 1);
    expect(await tools.find('pg_dump')).toMatchObject([{ version: '16.22' }]);
  });
});

describe('smallestAtLeast', () => {
  const tools = [18, 15, 17].map((major) => ({ name: 'pg_dump', path: '', version: `${major}.1`, major }));

  it.each([
    [14, 15],
    [15, 15],
    [16, 17],
    [18, 18],
    [19, undefined],
  ])('for a server of major %i takes %s', (server, expected) => {
    expect(smallestAtLeast(tools, server)?.major).toBe(expected);
  });
});
