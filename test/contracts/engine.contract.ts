import { once } from 'node:events';
import { finished } from 'node:stream/promises';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import type { Dump, DumpFormat } from '../../src/engines/engine.ts';
import { EngineError } from '../../src/engines/engines.errors.ts';
import { until } from '../support/until.ts';
import {
  childProcesses,
  comparable,
  dumped,
  type EngineUnderTest,
  filesBelow,
  nothingLeft,
  ourCommandLines,
  piecesOf,
  plainCall,
} from './engine-under-test.ts';

/**
 * The promises of `Engine`, by their numbers, on a real server. `open` makes the engine under test; it is called once, and
 * `close` at the end.
 */
export function engineContract(
  name: string,
  formats: readonly DumpFormat[],
  open: () => Promise<{ under: EngineUnderTest; close(): Promise<void> }>,
): void {
  describe(`engine contract: ${name}`, () => {
    let under: EngineUnderTest;
    let close: () => Promise<void>;
    const current = (): EngineUnderTest => under;

    beforeAll(async () => {
      ({ under, close } = await open());
    });
    afterAll(() => close());

    dumpContract(current, formats);
    secretsContract(current, formats);
    restoreContract(current, formats);
    failuresContract(current);
  });
}

type Current = () => EngineUnderTest;

/**
 * A dump that a failed test left unread would hold up the whole server: a backend that waits to write answers no barrier, and
 * every DROP DATABASE waits for all of them (PostgreSQL 15 and newer, measured).
 */
function letGoAfterwards(dump: Dump): void {
  onTestFinished(() => void dump.bytes.destroy());
}

/** A dump of the bulky database that has begun to flow. */
async function begunDump(
  { engine, bulky }: EngineUnderTest,
  format: DumpFormat,
  signal?: AbortSignal,
): Promise<Dump> {
  const dump = await engine.dump(await bulky(), { format }, plainCall(signal));
  letGoAfterwards(dump);
  await once(dump.bytes, 'readable');
  return dump;
}

async function failureOf(dump: Dump): Promise<unknown> {
  dump.bytes.resume();
  return await finished(dump.bytes).then(
    () => undefined,
    (error: unknown) => error,
  );
}

function dumpContract(current: Current, formats: readonly DumpFormat[]): void {
  test.each(formats)('E1: a dump whose tool is killed never ends (%s)', async (format) => {
    const under = current();
    const dump = await begunDump(under, format);
    await under.killTool();
    const error = await failureOf(dump);
    expect(error).toBeInstanceOf(EngineError);
    await expect(dump.content).rejects.toBe(error);
    await nothingLeft(under);
  });

  test.each(formats)('E1: a dump whose server session is ended never ends (%s)', async (format) => {
    const under = current();
    const dump = await begunDump(under, format);
    await under.killOnServer();
    expect(await failureOf(dump)).toBeInstanceOf(EngineError);
    await expect(dump.content).rejects.toBeInstanceOf(EngineError);
    await nothingLeft(under);
  });

  test.each(formats)('E2: destroying the stream leaves no process, session or file (%s)', async (format) => {
    const under = current();
    const dump = await begunDump(under, format);
    expect(await under.sessions()).toBeGreaterThan(0);
    dump.bytes.destroy();
    await nothingLeft(under);
    await expect(dump.content).rejects.toBeDefined();
  });

  test.each(formats)('E2: aborting leaves nothing, and gives the reason (%s)', async (format) => {
    const under = current();
    const cancel = new AbortController();
    const dump = await begunDump(under, format, cancel.signal);
    const reason = new Error('a person cancelled');
    cancel.abort(reason);
    expect(await failureOf(dump)).toBe(reason);
    await expect(dump.content).rejects.toBe(reason);
    await nothingLeft(under);
  });

  test('E2: nothing begins when the signal was aborted before', async () => {
    const under = current();
    const reason = new Error('too late');
    const call = plainCall(AbortSignal.abort(reason));
    await expect(under.engine.dump(await under.sample(), {}, call)).rejects.toBe(reason);
    await expect(under.engine.probe(await under.sample(), call)).rejects.toBe(reason);
    await expect(under.engine.measure(await under.sample(), {}, call)).rejects.toBe(reason);
    await nothingLeft(under);
  });

  test('E2: measuring can be aborted, also on the server', async () => {
    const under = current();
    const cancel = new AbortController();
    const measuring = under.engine.measure(
      await under.bulky(),
      { hashContent: true },
      plainCall(cancel.signal),
    );
    await until('a session', async () => (await under.sessions()) > 0);
    const reason = new Error('cancelled');
    cancel.abort(reason);
    await expect(measuring).rejects.toBe(reason);
    await nothingLeft(under);
  });

  test.each(formats)('E3: a reader that does not read makes the tool wait (%s)', async (format) => {
    const under = current();
    const dump = await begunDump(under, format);
    let before = -1;
    await until('the tool to stand still', async () => {
      const now = await under.bytesProduced();
      const stands = now === before;
      before = now;
      await new Promise((resolve) => {
        setTimeout(resolve, 200);
      });
      return stands;
    });
    expect(before).toBeLessThan(under.mostBufferedBytes);
    expect(dump.bytes.readableLength).toBeLessThan(4 * 1024 * 1024);
    dump.bytes.destroy();
    await nothingLeft(under);
  });

  test('E9: methods run at the same time on one instance', async () => {
    const under = current();
    const connection = await under.sample();
    const [one, two, three, report] = await Promise.all([
      dumped(under.engine, connection, { hashContent: true }),
      dumped(under.engine, connection),
      under.engine.measure(connection, { hashContent: true }, plainCall()),
      under.engine.probe(connection, plainCall()),
    ]);
    expect(comparable(three)).toEqual(comparable(one.content));
    expect(two.content.items.map(({ rows }) => rows)).toEqual(one.content.items.map(({ rows }) => rows));
    expect(report.itemCount).toBe(one.content.items.length);
    await nothingLeft(under);
  });
}

function secretsContract(current: Current, formats: readonly DumpFormat[]): void {
  test.each(formats)('E4: no secret where others can read it, while a dump runs (%s)', async (format) => {
    const under = current();
    const connection = await under.bulky();
    const password = connection.password ?? '';
    expect(password).not.toBe('');
    const call = plainCall();
    const said: string[] = [];
    const dump = await under.engine.dump(
      connection,
      { format },
      { ...call, onProgress: (progress) => said.push(JSON.stringify(progress)) },
    );
    letGoAfterwards(dump);
    await once(dump.bytes, 'readable');
    const commandLines = await ourCommandLines();
    // What is built in starts nothing; a tool must have been seen, or this looked at nothing.
    expect(commandLines === '', commandLines).toBe(dump.tool.name === 'builtin');
    expect(commandLines).not.toContain(password);
    for (const file of await filesBelow(under.filesFolder)) {
      expect(file.mode & 0o077, file.path).toBe(0);
    }
    dump.bytes.resume();
    await finished(dump.bytes);
    await dump.content;
    expect(said.length).toBeGreaterThan(0);
    expect([...call.lines, ...said, JSON.stringify(dump.server)].join('\n')).not.toContain(password);
    await nothingLeft(under);
  });

  test('E4: no secret in an error', async () => {
    const under = current();
    for (const failure of under.failures) {
      const call = plainCall();
      const error = await failure.provoke(call).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      const password = (await under.sample()).password ?? '';
      const shown = JSON.stringify(error, Object.getOwnPropertyNames(error ?? {})) + call.lines.join('\n');
      expect(shown, failure.name).not.toContain(password);
      expect(shown, failure.name).not.toContain('wrong-password');
    }
  });
}

function restoreContract(current: Current, formats: readonly DumpFormat[]): void {
  test.each(formats)('E7: dump, restore, measure: the copy equals the dump (%s)', async (format) => {
    const under = current();
    const dump = await dumped(under.engine, await under.sample(), { format, hashContent: true });
    const rows = Object.fromEntries(dump.content.items.map((item) => [item.name, item.rows]));
    expect(rows).toEqual(under.sampleItems);
    await using copy = await under.empty();
    const choice = { format, workDir: under.filesFolder };
    await under.engine.restore(copy.connection, piecesOf(dump.bytes), choice, plainCall());
    const found = await under.engine.measure(copy.connection, { hashContent: true }, plainCall());
    expect(comparable(found)).toEqual(comparable(dump.content));
    await nothingLeft(under);
  });

  test.each(formats)('E7: the facts are those of the dump while others write (%s)', async (format) => {
    const under = current();
    await using live = await under.empty();
    const writer = await under.startWriter(live.connection);
    const dump = await dumped(under.engine, live.connection, { format, hashContent: true });
    const written = await writer.stop();
    await using copy = await under.empty();
    const choice = { format, workDir: under.filesFolder };
    await under.engine.restore(copy.connection, piecesOf(dump.bytes), choice, plainCall());
    const found = await under.engine.measure(copy.connection, { hashContent: true }, plainCall());
    expect(comparable(found)).toEqual(comparable(dump.content));
    const dumpedRows = dump.content.items.reduce((sum, item) => sum + item.rows, 0);
    expect(dumpedRows).toBeGreaterThan(0);
    expect(dumpedRows).toBeLessThan(written);
  });

  test.each(formats)('E5: half an archive is refused, and leaves nothing (%s)', async (format) => {
    const under = current();
    const { bytes } = await dumped(under.engine, await under.sample(), { format });
    for (const part of [0, 0.001, 0.3, 0.6, 0.9, 0.999]) {
      await using target = await under.empty();
      const torn = piecesOf(bytes.subarray(0, Math.floor(bytes.length * part)));
      const choice = { format, workDir: under.filesFolder };
      await expect(
        under.engine.restore(target.connection, torn, choice, plainCall()),
        `${part} of the archive`,
      ).rejects.toBeInstanceOf(EngineError);
      expect(torn.destroyed).toBe(true);
      const left = await under.engine.measure(target.connection, {}, plainCall());
      expect(left.items, `${part} of the archive`).toEqual([]);
    }
    await nothingLeft(under);
  });

  test.each(formats)('E5: a stream that fails is not taken for its end (%s)', async (format) => {
    const under = current();
    const { bytes } = await dumped(under.engine, await under.sample(), { format });
    await using target = await under.empty();
    const failing = piecesOf(bytes, 1000);
    const failure = new Error('the digest differs');
    let seen = 0;
    failing.on('data', (chunk: Buffer) => {
      seen += chunk.length;
      if (seen > bytes.length - 2000) failing.destroy(failure);
    });
    failing.pause();
    const choice = { format, workDir: under.filesFolder };
    await expect(under.engine.restore(target.connection, failing, choice, plainCall())).rejects.toBe(failure);
    expect((await under.engine.measure(target.connection, {}, plainCall())).items).toEqual([]);
    await nothingLeft(under);
  });

  test.each(formats)('E5, E6: other bytes, and bytes after the end, are refused (%s)', async (format) => {
    const under = current();
    const { bytes } = await dumped(under.engine, await under.sample(), { format });
    await using target = await under.empty();
    const choice = { format, workDir: under.filesFolder };
    const foreign = [
      Buffer.from('GIF89a and so on'),
      Buffer.alloc(100_000, 'x'),
      Buffer.concat([bytes, Buffer.from('more\n')]),
    ];
    for (const archive of foreign) {
      await expect(
        under.engine.restore(target.connection, piecesOf(archive), choice, plainCall()),
      ).rejects.toBeInstanceOf(EngineError);
      await expect(under.engine.inspect(piecesOf(archive), format, plainCall())).rejects.toBeInstanceOf(
        EngineError,
      );
    }
    await nothingLeft(under);
  });

  test.each(formats)('E5: errors of the server are failures (%s)', async (format) => {
    const under = current();
    const { bytes } = await dumped(under.engine, await under.sample(), { format });
    await using target = await under.empty();
    const choice = { format, workDir: under.filesFolder };
    await under.engine.restore(target.connection, piecesOf(bytes), choice, plainCall());
    // Everything is there already: a second time nothing can be made.
    await expect(
      under.engine.restore(target.connection, piecesOf(bytes), choice, plainCall()),
    ).rejects.toBeInstanceOf(EngineError);
  });

  test.each(formats)('E2: a restore can be aborted, and leaves nothing running (%s)', async (format) => {
    const under = current();
    const { bytes } = await dumped(under.engine, await under.bulky(), { format });
    await using target = await under.empty();
    const cancel = new AbortController();
    const input = piecesOf(bytes);
    const reason = new Error('cancelled');
    const choice = { format, workDir: under.filesFolder };
    const restoring = under.engine.restore(target.connection, input, choice, plainCall(cancel.signal));
    await until(
      'a restoring process or session',
      async () => (await childProcesses()).length > 0 || (await under.sessions()) > 0,
    );
    cancel.abort(reason);
    await expect(restoring).rejects.toBe(reason);
    expect(input.destroyed).toBe(true);
    await nothingLeft(under);
  });

  test.each(formats)('E6: inspecting reads to the end (%s)', async (format) => {
    const under = current();
    const { bytes, content } = await dumped(under.engine, await under.sample(), { format });
    const whole = await under.engine.inspect(piecesOf(bytes), format, plainCall());
    expect(whole.plainBytes).toBe(bytes.length);
    expect(whole.items.toSorted()).toEqual(content.items.map((item) => item.name).toSorted());
    for (const part of [0, 0.001, 0.3, 0.6, 0.9, 0.999]) {
      const torn = piecesOf(bytes.subarray(0, Math.floor(bytes.length * part)));
      await expect(
        under.engine.inspect(torn, format, plainCall()),
        `${part} of the archive`,
      ).rejects.toBeInstanceOf(EngineError);
    }
    const cutByOne = piecesOf(bytes.subarray(0, bytes.length - 20));
    await expect(under.engine.inspect(cutByOne, format, plainCall())).rejects.toBeInstanceOf(EngineError);
    await nothingLeft(under);
  });
}

function failuresContract(current: Current): void {
  test('E8: each way of failing has its own code and the right advice to try again', async () => {
    const under = current();
    expect(under.failures.length).toBeGreaterThan(0);
    for (const { name, code, retryable, provoke } of under.failures) {
      const error = await provoke(plainCall()).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error, name).toBeInstanceOf(EngineError);
      expect(error, name).toMatchObject({ code, retryable });
      await nothingLeft(under);
    }
  });
}
