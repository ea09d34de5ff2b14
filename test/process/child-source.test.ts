import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { describe, expect, it } from 'vitest';

import { openChildSource } from '../../src/process/child-source.js';
import { freeExpendable } from '../../src/process/expendable-buffers.js';
import { ToolFailedError, ToolNotStartedError } from '../../src/process/process.errors.js';
import { ManualClock } from '../support/manual-clock.js';
import { isWaitingToWrite } from '../support/waiting-to-write.js';
import { closed, clock, isAlive, readAll, shell, until, watch } from './children.js';

const RUNS = 120;

describe('the end of a child source', () => {
  it('comes when the child exited 0, after every byte', async () => {
    for (let run = 0; run < 20; run += 1) {
      const source = await openChildSource(shell('head -c 300000 /dev/zero; echo done >&2'), watch());
      expect(await readAll(source.bytes)).toEqual({ size: 300_000 });
      expect(await source.exited).toMatchObject({ code: 0, signal: null, stderr: 'done' });
    }
  });

  it.each([
    ['a child that writes 200 bytes and exits 1', 'head -c 200 /dev/zero; exit 1', 1],
    ['a child that writes 300 kB and exits 3', 'head -c 300000 /dev/zero; exit 3', 3],
    ['a child that writes nothing and exits 1', 'exit 1', 1],
    [
      'a child that closes stdout first and exits 1 later',
      'head -c 200 /dev/zero; exec >&-; sleep 0.02; exit 1',
      1,
    ],
  ])(`never comes for %s, in ${RUNS} runs`, async (_, script, code) => {
    let successes = 0;
    for (let run = 0; run < RUNS; run += 1) {
      const source = await openChildSource(shell(script), watch());
      const { error } = await readAll(source.bytes);
      if (error === undefined) successes += 1;
      else expect(error).toMatchObject({ code: 'tool-failed', report: { code } });
    }
    expect(successes).toBe(0);
  });

  it(`never comes for a child that is killed midway, in ${RUNS} runs`, async () => {
    for (let run = 0; run < RUNS; run += 1) {
      const source = await openChildSource(shell('head -c 200 /dev/zero; kill -KILL $$'), watch());
      const { error } = await readAll(source.bytes);
      expect(error).toBeInstanceOf(ToolFailedError);
      expect(error).toMatchObject({ report: { code: null, signal: 'SIGKILL' } });
    }
  });

  it('makes a pipeline fail, although the sink got every byte', async () => {
    const source = await openChildSource(shell('head -c 5000000 /dev/zero; exit 1'), watch());
    const sink = new PassThrough().resume();
    await expect(pipeline(source.bytes, sink)).rejects.toMatchObject({ code: 'tool-failed' });
  });

  it('does not wait for a grandchild that holds stdout after a bad exit', async () => {
    const started = clock.monotonicMs();
    const source = await openChildSource(shell('sleep 60 & echo x; exit 2'), watch());
    const { error } = await readAll(source.bytes);
    expect(error).toMatchObject({ report: { code: 2 } });
    expect(clock.monotonicMs() - started).toBeLessThan(2000);
  });

  it('is an error when a grandchild holds stdout after a good exit, and the grandchild is ended', async () => {
    const pids: string[] = [];
    const source = await openChildSource(
      shell('sleep 60 & echo $! >&2; echo x; exit 0'),
      watch({ onLine: (line) => pids.push(line) }),
    );
    const { error } = await readAll(source.bytes);
    expect(error).toMatchObject({ code: 'tool-failed', report: { code: 0 } });
    await until(async () => !(await isAlive(Number(pids[0]))), 'the grandchild is gone');
  });

  it('still comes when a slow reader takes the last bytes long after the exit', async () => {
    const time = new ManualClock();
    const source = await openChildSource(shell('head -c 630000 /dev/zero'), watch({ clock: time }));
    await once(source.bytes, 'readable');
    source.bytes.read(1);
    // The rest does not fit into our blocks: the child is gone, and its last bytes wait in the pipe.
    await source.exited;
    await until(() => time.sleeping > 0, 'the wait for late output');
    for (let waits = 0; waits < 3; waits += 1) {
      time.advance(60_000); // longer than any wait for late output
      await until(() => time.sleeping > 0, 'it to wait on');
    }
    expect((await readAll(source.bytes)).error).toBeUndefined();
  });

  it('carries the failure that the caller makes of it', async () => {
    const failure = (): Error => new Error('in words of the engine');
    const source = await openChildSource(shell('exit 1'), watch({ failure }));
    expect((await readAll(source.bytes)).error).toEqual(new Error('in words of the engine'));
  });
});

describe('ending a child source', () => {
  it('ends the child and its children when the stream is destroyed', async () => {
    const pids: number[] = [];
    const source = await openChildSource(
      shell('sleep 60 & echo $! >&2; while :; do echo x; done'),
      watch({ onLine: (line) => pids.push(Number(line)) }),
    );
    await until(() => pids.length === 1, 'the grandchild said its number');
    source.bytes.destroy();
    await closed(source.bytes);
    // Its stdout is closed a moment before the signal comes: whichever ends it first.
    expect(['SIGTERM', 'SIGPIPE']).toContain((await source.exited).signal);
    expect(await isAlive(source.pid)).toBe(false);
    await until(async () => !(await isAlive(pids[0] ?? 0)), 'the grandchild is gone');
  });

  it('kills a child that ignores SIGTERM, within 5 s, and gives the reason of the abort', async () => {
    const cancel = new AbortController();
    const lines: string[] = [];
    const source = await openChildSource(
      shell(`trap '' TERM; echo ready >&2; while :; do sleep 1; done`),
      watch({ signal: cancel.signal, onLine: (line) => lines.push(line) }),
    );
    const reading = readAll(source.bytes);
    await until(() => lines.includes('ready'), 'the child is ready');
    const started = clock.monotonicMs();
    cancel.abort(new Error('cancelled by a person'));
    expect((await reading).error).toEqual(new Error('cancelled by a person'));
    await closed(source.bytes);
    expect(clock.monotonicMs() - started).toBeLessThan(5000);
    expect(await source.exited).toMatchObject({ signal: 'SIGKILL' });
  });

  it('does not start anything when the signal was aborted before', async () => {
    const signal = AbortSignal.abort(new Error('too late'));
    await expect(openChildSource(shell('echo x'), watch({ signal }))).rejects.toThrow('too late');
  });

  it('says that a tool is missing or not executable', async () => {
    await expect(openChildSource({ file: '/nowhere/pg_dump', args: [] }, watch())).rejects.toBeInstanceOf(
      ToolNotStartedError,
    );
    await expect(openChildSource({ file: '/etc/passwd', args: [] }, watch())).rejects.toBeInstanceOf(
      ToolNotStartedError,
    );
  });
});

describe('what a child gets', () => {
  it('is its arguments exactly, without a shell reading them', async () => {
    const nasty = ['-x', '$HOME', '`id`', '"; exit 9; "', "it's", 'two  blanks', '*', '', 'ü\n2'];
    const source = await openChildSource(shell(`printf '%s\\0' "$@"`, ...nasty), watch());
    const chunks = (await source.bytes.toArray()) as Buffer[];
    expect(Buffer.concat(chunks).toString().split('\0').slice(0, -1)).toEqual(nasty);
  });

  it('is a fixed environment and what the command gives, nothing of ours', async () => {
    process.env['BACKSTOP_TEST_LEAK'] = 'leak';
    const source = await openChildSource({ ...shell('env'), env: { PGPORT: '5433' } }, watch());
    delete process.env['BACKSTOP_TEST_LEAK'];
    const text = Buffer.concat((await source.bytes.toArray()) as Buffer[]).toString();
    const names = text.split('\n').map((line) => line.split('=')[0]);
    expect(
      names
        .filter((name) => !['PWD', 'OLDPWD', '_', 'SHLVL', ''].includes(name ?? ''))
        .sort((a, b) => (a ?? '').localeCompare(b ?? '')),
    ).toEqual(['HOME', 'LANG', 'LC_ALL', 'PATH', 'PGPORT', 'TZ']);
    expect(text).toContain('LC_ALL=C\n');
  });
});

describe('the chunks of a child source', () => {
  it('are large, however small the pieces are that the child writes', async () => {
    const source = await openChildSource(
      shell('head -c 8000000 /dev/zero | dd bs=4096 2>/dev/null'),
      watch(),
    );
    const sizes: number[] = [];
    for await (const chunk of source.bytes as AsyncIterable<Buffer>) sizes.push(chunk.length);
    expect(sizes.reduce((total, size) => total + size, 0)).toBe(8_000_000);
    expect(Math.max(...sizes)).toBeGreaterThanOrEqual(256 * 1024);
    expect(sizes.length).toBeLessThan(200);
  });

  it('come soon also when the child writes little and goes on', async () => {
    const source = await openChildSource(shell('printf first; sleep 60'), watch());
    const [chunk] = (await once(source.bytes, 'data')) as [Buffer];
    expect(chunk.toString()).toBe('first');
    source.bytes.destroy();
    await closed(source.bytes);
  });

  it('are freed by whoever reads them last, when that was agreed on', async () => {
    const source = await openChildSource(shell('printf some'), watch(), { expendable: true });
    const [chunk] = (await source.bytes.toArray()) as [Buffer];
    expect(chunk.toString()).toBe('some');
    freeExpendable(chunk);
    expect(chunk.length).toBe(0);
  });
});

describe('memory', () => {
  it('stays bounded when nobody reads: the child waits', async () => {
    const counted: string[] = [];
    const source = await openChildSource(
      shell('for i in 1 2 3 4 5 6 7 8 9 10; do head -c 1000000 /dev/zero; echo $i >&2; done'),
      watch({ onLine: (line) => counted.push(line) }),
    );
    await once(source.bytes, 'readable');
    await until(() => isWaitingToWrite(source.pid), 'the child to wait for its reader');
    expect(counted).toEqual([]);
    expect(source.bytes.readableLength).toBeLessThanOrEqual(512 * 1024);
    source.bytes.destroy();
    await closed(source.bytes);
  });
});
