import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { readOrCreateKeyFile } from './secret-key-file.js';
import { deriveSecretKey } from './secret-key.js';
import { SecretKeyUnusableError } from './secrets.errors.js';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'backstop-key-'));
  file = path.join(folder, 'data', 'secret.key');
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe('readOrCreateKeyFile', () => {
  it('makes a file for its owner only, with the folder, and leaves nothing else', async () => {
    const made = await readOrCreateKeyFile(file);
    expect(made).toMatchObject({ isNew: true, isExposed: false });
    expect(Buffer.from(made.text.trim(), 'base64')).toHaveLength(32);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(path.dirname(file))).mode & 0o777).toBe(0o700);
    expect(await readdir(path.dirname(file))).toEqual(['secret.key']);
  });

  it('reads the same key ever after', async () => {
    const made = await readOrCreateKeyFile(file);
    expect(await readOrCreateKeyFile(file)).toEqual({ ...made, isNew: false });
  });

  it('gives one key to all who start at once, made by one of them', async () => {
    const all = await Promise.all(Array.from({ length: 12 }, () => readOrCreateKeyFile(file)));
    expect(new Set(all.map((one) => one.text)).size).toBe(1);
    expect(all.filter((one) => one.isNew)).toHaveLength(1);
    expect(await readdir(path.dirname(file))).toEqual(['secret.key']);
  });

  it('makes a text that the key is derived from, as from the variable', async () => {
    const made = await readOrCreateKeyFile(file);
    expect(await deriveSecretKey(made.text)).toEqual(
      await deriveSecretKey((await readFile(file, 'utf8')).trim()),
    );
  });

  it.each([0o640, 0o604, 0o666])('tells that mode %o lets others at it', async (mode) => {
    await readOrCreateKeyFile(file);
    await chmod(file, mode);
    expect(await readOrCreateKeyFile(file)).toMatchObject({ isExposed: true });
  });

  it('says so when the folder cannot be one', async () => {
    await writeFile(path.join(folder, 'data'), 'a file where the folder should be');
    await expect(readOrCreateKeyFile(file)).rejects.toThrow(SecretKeyUnusableError);
    await expect(readOrCreateKeyFile(file)).rejects.toThrow(/ENOTDIR|EEXIST/);
  });
});
