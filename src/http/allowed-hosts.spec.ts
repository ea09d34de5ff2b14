import { describe, expect, test } from 'vitest';

import { Config } from '../config/config.js';
import { allowedHosts } from './allowed-hosts.js';

const rule = (host: string, ...named: string[]): ((host: string) => boolean) | undefined =>
  allowedHosts(Object.assign(new Config(), { host, allowedHosts: named }));

describe('the names under which a service may be asked', () => {
  test.each(['127.0.0.1', 'localhost', '::1', '127.0.0.2'])('on %s are those of loopback', (host) => {
    const isAllowed = rule(host);
    for (const name of [
      'localhost',
      'localhost:8000',
      'LOCALHOST:1',
      '127.0.0.1:8000',
      '[::1]:8000',
      '[::1]',
    ]) {
      expect(isAllowed?.(name), name).toBe(true);
    }
    for (const name of [
      'evil.example.com',
      'evil.example.com:8000',
      'localhost.evil.example',
      '10.0.0.1',
      '',
    ]) {
      expect(isAllowed?.(name), name).toBe(false);
    }
  });

  test('on other addresses are all, unless some are named', () => {
    expect(rule('0.0.0.0')).toBeUndefined();
    expect(rule('127.0.0.1', '*')).toBeUndefined();
    const isAllowed = rule('0.0.0.0', 'Backups.example.com');
    expect(isAllowed?.('backups.example.com:443')).toBe(true);
    expect(isAllowed?.('localhost:8000')).toBe(true);
    expect(isAllowed?.('evil.example.com')).toBe(false);
  });
});
