import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { checkTls } from '../../src/databases/tls-rules.js';

let folder: string;
let cert: string;
let key: string;
let otherKey: string;
let lockedKey: string;

/** Real certificates, made by OpenSSL for this run. */
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'backstop-tls-'));
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  };
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-nodes',
    '-keyout',
    'key.pem',
    '-out',
    'cert.pem',
    '-subj',
    '/CN=test',
    '-days',
    '1',
  );
  openssl('genpkey', '-algorithm', 'ed25519', '-out', 'other.pem');
  openssl('pkcs8', '-topk8', '-in', 'key.pem', '-out', 'locked.pem', '-passout', 'pass:fake-passphrase');
  const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8');
  cert = read('cert.pem');
  key = read('key.pem');
  otherKey = read('other.pem');
  lockedKey = read('locked.pem');
});

afterAll(() => rmSync(folder, { recursive: true }));

const refused = (field: string): unknown =>
  expect.objectContaining({ code: 'tls-invalid', facts: { field } });

describe('checkTls', () => {
  it('takes a mode alone, an authority, and a pair', () => {
    expect(() => checkTls({ mode: 'disable' })).not.toThrow();
    expect(() => checkTls({ mode: 'verify-full', ca: cert })).not.toThrow();
    expect(() => checkTls({ mode: 'verify-ca', ca: `${cert}\n${cert}` })).not.toThrow();
    expect(() => checkTls({ mode: 'require', cert: `${cert}${cert}`, key })).not.toThrow();
  });

  it('refuses texts that are not what they should be', () => {
    expect(() => checkTls({ mode: 'verify-ca', ca: 'fake' })).toThrow(refused('ca'));
    expect(() => checkTls({ mode: 'verify-ca', ca: key })).toThrow(refused('ca'));
    expect(() => checkTls({ mode: 'require', cert: key, key: cert })).toThrow(refused('cert'));
    expect(() => checkTls({ mode: 'require', cert, key: cert })).toThrow(refused('key'));
    expect(() => checkTls({ mode: 'verify-ca', ca: 'x'.repeat(600_000) })).toThrow(refused('ca'));
  });

  it('refuses one half of a pair, and two halves of different pairs', () => {
    expect(() => checkTls({ mode: 'require', cert })).toThrow(refused('key'));
    expect(() => checkTls({ mode: 'require', key })).toThrow(refused('cert'));
    expect(() => checkTls({ mode: 'require', cert, key: otherKey })).toThrow(refused('key'));
  });

  it('refuses a key with a passphrase, which nobody would be there to type', () => {
    expect(() => checkTls({ mode: 'require', cert, key: lockedKey })).toThrow(/passphrase/);
  });

  it('refuses certificates that would not be used', () => {
    expect(() => checkTls({ mode: 'disable', ca: cert })).toThrow(refused('mode'));
  });
});
