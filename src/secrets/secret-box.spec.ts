import { createHash, createHmac } from 'node:crypto';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SecretBox } from './secret-box.js';
import { deriveSecretKey } from './secret-key.js';
import { SecretDamagedError, SecretKeyMismatchError } from './secrets.errors.js';

const key = await deriveSecretKey('an obviously fake passphrase for tests');
const box = new SecretBox(key);
const other = new SecretBox(await deriveSecretKey('another obviously fake passphrase for tests'));
const place = { purpose: 'database.password', recordId: '019abc00-0000-7000-8000-000000000001' };

describe('SecretBox', () => {
  it('gives back any text, in its own place', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), fc.string(), (plain, purpose, recordId) => {
        const sealed = box.seal(plain, { purpose, recordId });
        expect(box.open(sealed, { purpose, recordId })).toBe(plain);
      }),
    );
  });

  it('writes the version and the key id in clear, and the text nowhere', () => {
    const sealed = box.seal('fake-password', place);
    expect(sealed).toMatch(/^v1\.[\w-]{8}\.[\w-]{16}\.[\w-]{39}$/);
    expect(sealed.split('.')[1]).toBe(box.keyId);
    expect(Buffer.from(sealed.split('.')[3] ?? '', 'base64url').includes('fake')).toBe(false);
  });

  it('never seals the same text to the same value', () => {
    const sealed = new Set(Array.from({ length: 1000 }, () => box.seal('fake-password', place)));
    expect(sealed.size).toBe(1000);
  });

  it('does not open in another place', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (purpose, recordId) => {
        fc.pre(purpose !== place.purpose || recordId !== place.recordId);
        const sealed = box.seal('fake-password', place);
        expect(() => box.open(sealed, { purpose, recordId })).toThrow(SecretDamagedError);
      }),
    );
  });

  it('does not open once any character was changed', () => {
    const sealed = box.seal('fake-password', place);
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1);
      expect(() => box.open(changed, place), `character ${at}`).toThrow(/stored secret/);
    }
  });

  it('does not open once it was cut or made longer', () => {
    const sealed = box.seal('fake-password', place);
    for (let length = 0; length < sealed.length; length += 1) {
      expect(() => box.open(sealed.slice(0, length), place), `length ${length}`).toThrow(/stored secret/);
    }
    expect(() => box.open(`${sealed}A`, place)).toThrow(SecretDamagedError);
    expect(() => box.open(`${sealed}.A`, place)).toThrow(SecretDamagedError);
    expect(() => box.open(`${sealed}=`, place)).toThrow(SecretDamagedError);
  });

  it('names both keys when another one sealed the value', () => {
    const sealed = other.seal('fake-password', place);
    const open = (): string => box.open(sealed, place);
    expect(open).toThrow(SecretKeyMismatchError);
    expect(open).toThrow(other.keyId);
    expect(open).toThrow(box.keyId);
  });

  it('gives a text the same mark in the same place, today and in every version of Backstop', () => {
    // Fixed for ever: a change here means that a request which is repeated over an update is taken for another one.
    expect(box.mark('fake-password', place)).toBe('MnbOYkEIq3NmcGTLd5qmiDe3XylIP7VK2gP2YShx5AI');
    expect(new SecretBox(key).mark('fake-password', place)).toBe(box.mark('fake-password', place));
  });

  it('gives another mark to another text, in another place and under another key', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (text, purpose, recordId) => {
        fc.pre(text !== 'fake-password' || purpose !== place.purpose || recordId !== place.recordId);
        expect(box.mark(text, { purpose, recordId })).not.toBe(box.mark('fake-password', place));
      }),
    );
    for (const elsewhere of [{ recordId: 'other' }, { purpose: 'other' }]) {
      expect(box.mark('fake-password', { ...place, ...elsewhere })).not.toBe(
        box.mark('fake-password', place),
      );
    }
    expect(box.mark('b', { purpose: 'x', recordId: 'a' })).not.toBe(
      box.mark('a', { purpose: 'x', recordId: 'b' }),
    );
    expect(other.mark('fake-password', place)).not.toBe(box.mark('fake-password', place));
  });

  it('makes no mark that a reader without the key could make of a guess', () => {
    const mark = box.mark('fake-password', place);
    const said = ['fake-password', JSON.stringify([place.purpose, place.recordId, 'fake-password'])];
    for (const text of said) {
      expect(createHash('sha256').update(text).digest('base64url')).not.toBe(mark);
      // The key that seals is not the key that marks.
      expect(createHmac('sha256', key.bytes).update(text).digest('base64url')).not.toBe(mark);
    }
  });

  it('refuses a form that it does not know', () => {
    const sealed = box.seal('fake-password', place).replace('v1', 'v2');
    expect(() => box.open(sealed, place)).toThrow(/not in a form/);
    expect(() => box.open('fake-password', place)).toThrow(SecretDamagedError);
    expect(() => box.open('', place)).toThrow(SecretDamagedError);
  });
});
