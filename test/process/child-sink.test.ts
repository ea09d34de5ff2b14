import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { queryObjects } from 'node:v8';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { runChildSink } from '../../src/process/child-sink.js';
import { clock, isAlive, shell, until, watch } from './children.js';

const RUNS = 120;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backstop-sink-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function input(bytes: number): Readable {
  return Readable.from(
    (function* chunks() {
      for (let left = bytes; left > 0; left -= 65_536) yield Buffer.alloc(Math.min(left, 65_536), 'x');
    })(),
  );
}

describe('a child sink', () => {
  it('resolves when the child read everything and exited 0', async () => {
    const file = join(folder, 'all');
    await expect(runChildSink(shell('cat > "$1"', file), input(3_000_000), watch())).resolves.toMatchObject({
      code: 0,
    });
    expect((await stat(file)).size).toBe(3_000_000);
  });

  it('remembers nothing of a chunk that had to wait', async () => {
    // What remembers is a promise for each chunk; they are counted after everything that nobody needs is gone.
    const kept: number[] = [];
    const chunk = Buffer.alloc(65_536, 'x');
    function* chunks(): Generator<Buffer> {
      for (let sent = 0; sent <= 1_500; sent += 1) {
        if (sent === 500 || sent === 1_500) kept.push(Number(queryObjects(Promise)));
        yield chunk;
      }
    }
    await runChildSink(shell('cat >/dev/null'), Readable.from(chunks()), watch());
    const [early = 0, late = 0] = kept;
    expect(early).toBeGreaterThan(0);
    expect(late - early).toBeLessThan(100);
  });

  it('takes an empty input', async () => {
    await expect(runChildSink(shell('cat >/dev/null'), input(0), watch())).resolves.toMatchObject({
      code: 0,
    });
  });

  it.each([
    ['reads nothing of 10 bytes', 'exit 0', 10],
    ['reads nothing of 3 MB', 'exit 0', 3_000_000],
    ['leaves the last 1000 bytes', 'dd bs=9000 count=1 of=/dev/null 2>/dev/null; exit 0', 10_000],
    ['closes stdin early and lives on', 'exec <&-; sleep 0.02; exit 0', 100_000],
  ])(`fails for a child that exits 0 but %s, in ${RUNS} runs`, async (_, script, bytes) => {
    for (let run = 0; run < RUNS; run += 1) {
      await expect(runChildSink(shell(script), input(bytes), watch())).rejects.toMatchObject({
        code: 'tool-failed',
        report: { code: 0 },
      });
    }
  });

  it(`fails for a child that read everything and exits 1, in ${RUNS} runs`, async () => {
    for (let run = 0; run < RUNS; run += 1) {
      const running = runChildSink(shell('cat >/dev/null; echo no >&2; exit 1'), input(100_000), watch());
      await expect(running).rejects.toMatchObject({ report: { code: 1, stderr: 'no' } });
    }
  });

  it('fails at once for a child that exits 1 while the input stalls', async () => {
    const stalled = new PassThrough();
    stalled.write('something');
    await expect(runChildSink(shell('exit 4'), stalled, watch())).rejects.toMatchObject({
      report: { code: 4 },
    });
    expect(stalled.destroyed).toBe(true);
  });

  it(`never shows the child a clean end of an input that failed, in ${RUNS} runs`, async () => {
    const marker = join(folder, 'committed');
    for (let run = 0; run < RUNS; run += 1) {
      const broken = new PassThrough();
      broken.write(Buffer.alloc(run * 1000));
      setImmediate(() => broken.destroy(new Error('the archive is torn')));
      const running = runChildSink(shell('cat >/dev/null; echo done > "$1"', marker), broken, watch());
      await expect(running).rejects.toThrow('the archive is torn');
    }
    await expect(readFile(marker)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('ends the child when aborted, and gives the reason', async () => {
    const cancel = new AbortController();
    const pids: number[] = [];
    const endless = new PassThrough();
    const running = runChildSink(
      shell('echo $$ >&2; cat >/dev/null'),
      endless,
      watch({ signal: cancel.signal, onLine: (line) => pids.push(Number(line)) }),
    );
    await until(() => pids.length === 1, 'the child runs');
    const started = clock.monotonicMs();
    cancel.abort(new Error('cancelled'));
    await expect(running).rejects.toThrow('cancelled');
    expect(clock.monotonicMs() - started).toBeLessThan(5000);
    expect(await isAlive(pids[0] ?? 0)).toBe(false);
    expect(endless.destroyed).toBe(true);
  });

  it('ends a child that works on after it has read all of its input', async () => {
    const cancel = new AbortController();
    const pids: number[] = [];
    const running = runChildSink(
      shell('cat >/dev/null; echo $$ >&2; while :; do sleep 0.1; done'),
      input(10),
      watch({ signal: cancel.signal, onLine: (line) => pids.push(Number(line)) }),
    );
    await until(() => pids.length === 1, 'the child has read everything');
    const started = clock.monotonicMs();
    cancel.abort(new Error('cancelled'));
    await expect(running).rejects.toThrow('cancelled');
    expect(clock.monotonicMs() - started).toBeLessThan(5000);
    expect(await isAlive(pids[0] ?? 0)).toBe(false);
  });

  it('still fails when the input breaks after a child that knows its end has exited 0', async () => {
    const late = new PassThrough();
    late.write('0123456789');
    const running = runChildSink(shell('head -c 10 >/dev/null; echo gone >&2'), late, {
      ...watch(),
      onLine: () => late.destroy(new Error('digest differs')),
    });
    await expect(running).rejects.toThrow('digest differs');
  });

  it('destroys its input when the tool is missing', async () => {
    const unread = input(10);
    await expect(runChildSink({ file: '/nowhere/psql', args: [] }, unread, watch())).rejects.toMatchObject({
      code: 'tool-not-started',
    });
    expect(unread.destroyed).toBe(true);
  });
});
