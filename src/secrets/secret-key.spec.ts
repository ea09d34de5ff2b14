import { describe, expect, it } from 'vitest';

import { deriveSecretKey } from './secret-key.js';
import { SecretKeyUnusableError } from './secrets.errors.js';

const text = 'an obviously fake passphrase for tests';

describe('deriveSecretKey', () => {
  it('makes the same key of the same text in every version of Backstop', async () => {
    // Fixed for ever: a change here means that no stored secret opens any more.
    expect(await deriveSecretKey(text)).toEqual({
      id: 'uQiAVcjv',
      bytes: Buffer.from('VwvnhmEwjqPkFMPH8j0ESFnRnKjOJ1pqzH-sjx5OPZE', 'base64url'),
    });
  });

  it('does not count blanks and line ends around the text', async () => {
    expect(await deriveSecretKey(`  ${text}\r\n`)).toEqual(await deriveSecretKey(text));
  });

  it('makes another key, with another name, of another text', async () => {
    const one = await deriveSecretKey(text);
    const two = await deriveSecretKey(`${text}.`);
    expect(two.id).not.toBe(one.id);
    expect(two.bytes.equals(one.bytes)).toBe(false);
  });

  it.each([
    ['nothing', ''],
    ['blanks', ' '.repeat(40)],
    ['31 characters', 'x'.repeat(31)],
    ['31 characters in blanks', `  ${'x'.repeat(31)}  `],
  ])('refuses %s', async (_name, short) => {
    await expect(deriveSecretKey(short)).rejects.toThrow(SecretKeyUnusableError);
  });

  it('does not repeat a refused text', async () => {
    await expect(deriveSecretKey('fake-but-short')).rejects.toThrow(/^(?!.*fake-but-short)/);
  });
});
