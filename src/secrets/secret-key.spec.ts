import { describe, expect, it } from 'vitest';

import { deriveSecretKey } from './secret-key.js';
import { SecretKeyUnusableError } from './secrets.errors.js';

const text = 'an obviously fake passphrase for tests';

describe('deriveSecretKey', () => {
  it('makes the same key of the same text in every version of Backstop', () => {
    // Fixed for ever: a change here means that no stored secret opens any more.
    expect(deriveSecretKey(text)).toEqual({
      id: 'uQiAVcjv',
      bytes: Buffer.from('VwvnhmEwjqPkFMPH8j0ESFnRnKjOJ1pqzH-sjx5OPZE', 'base64url'),
    });
  });

  it('does not count blanks and line ends around the text', () => {
    expect(deriveSecretKey(`  ${text}\r\n`)).toEqual(deriveSecretKey(text));
  });

  it('makes another key, with another name, of another text', () => {
    const one = deriveSecretKey(text);
    const two = deriveSecretKey(`${text}.`);
    expect(two.id).not.toBe(one.id);
    expect(two.bytes.equals(one.bytes)).toBe(false);
  });

  it.each([
    ['nothing', ''],
    ['blanks', ' '.repeat(40)],
    ['31 characters', 'x'.repeat(31)],
    ['31 characters in blanks', `  ${'x'.repeat(31)}  `],
  ])('refuses %s', (_name, short) => {
    expect(() => deriveSecretKey(short)).toThrow(SecretKeyUnusableError);
  });

  it('does not repeat a refused text', () => {
    expect(() => deriveSecretKey('fake-but-short')).toThrow(/^(?!.*fake-but-short)/);
  });
});
