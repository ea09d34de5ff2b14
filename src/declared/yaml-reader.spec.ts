import { describe, expect, it } from 'vitest';

import { faultText } from './fault.js';
import { readYaml } from './yaml-reader.js';

const faultsOf = (text: string): string[] => readYaml(text).faults.map(faultText);

/** Each level holds the one before nine times: 9^9 values in 400 characters. */
const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]'];
for (let code = 98; code < 107; code += 1) {
  const before = String.fromCharCode(code - 1);
  const name = String.fromCharCode(code);
  bomb.push(`${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join(', ')}]`);
}

describe('reading YAML', () => {
  it('gives plain values, and knows their lines', () => {
    const { value, faults, lineOf } = readYaml('a:\n  - b: 1\n    c: "x"\n  - &n null\nd: *n\n');
    expect(faults).toEqual([]);
    expect(value).toEqual({ a: [{ b: 1, c: 'x' }, null], d: null });
    expect(lineOf(['a', 0, 'c'])).toBe(3);
    expect(lineOf(['a', 0, 'missing'])).toBe(2);
    expect(lineOf([])).toBeUndefined();
  });

  it.each([
    ['nothing', ''],
    ['a comment', '# databases:\n'],
  ])('takes %s for a file that says nothing', (_name, text) => {
    expect(readYaml(text)).toMatchObject({ value: null, faults: [] });
  });

  it.each([
    ['a tab', 'a:\n\tb: 1\n', /^is not YAML: Tabs are not allowed as indentation \(line 2\)$/],
    ['half a text', 'a: "x', /^is not YAML: .*quote/],
    ['a colon too many', 'a: b: c', /^is not YAML: /],
    ['brackets without an end', '{'.repeat(50), /^is not YAML: /],
    ['two documents', 'a: 1\n---\nb: 2\n', /^holds several YAML documents; give one/],
    ['a bare star', 'schedule: * 3 * * *', /a cron expression, needs quotes \(line 1\)$/],
    ['a step of a star', 'schedule: */5 * * * *', /a cron expression, needs quotes \(line 1\)$/],
    ['an alias of nothing', 'a: *x', /needs quotes|names nothing/],
    ['a key twice', 'a: 1\nb:\n  c: 1\n  c: 2\n', /^b\.c: stands twice; keep one \(line 4\)$/],
    ['a key that is a list', '? [a, b]\n: 1\n', /has a key that is not a text/],
    ['an unknown tag', 'a: !secret x', /^is not YAML: Unresolved tag/],
    ['binary', 'a: !!binary aGk=', /^a: has a tag; /],
    ['a set', 'a: !!set {x}', /^a: has a tag; /],
    ['a list in itself', 'a: &x [*x]', /^a\[0\]: is an alias of what it stands in/],
    ['a bomb of aliases', bomb.join('\n'), /stands for more than 200000 values/],
    ['a deep nest', `a: ${'['.repeat(100)}${']'.repeat(100)}`, /is nested more than 32 levels deep/],
    ['a nest too deep for the parser', '[['.repeat(50_000), /^(cannot be read as YAML|is not YAML)/],
    ['a key that JavaScript takes for another', '__proto__: {x: 1}', /^__proto__: is not a known field/],
  ])('refuses %s', (_name, text, fault) => {
    expect(faultsOf(text)[0]).toMatch(fault);
  });

  it('tells of a bomb once', () => {
    expect(faultsOf(bomb.join('\n'))).toHaveLength(1);
  });

  it('repeats no value, which may be a secret in the wrong place', () => {
    for (const text of [
      'password: "fake-secret',
      'password: *fake-secret',
      'password: @fake-secret',
      'a: fake-secret: b: c',
      '\tfake-secret',
    ]) {
      expect(faultsOf(text).join()).not.toContain('fake-secret');
    }
  });

  it('takes no longer for each of 40,000 keys than for each of 2,000', () => {
    // CPU time, so that whatever else the machine does is not counted.
    const cpuOf = (times: number, keys: number): number => {
      const text = Array.from({ length: keys }, (_, index) => `k${index}: 1`).join('\n');
      const before = process.cpuUsage();
      for (let time = 0; time < times; time += 1) expect(readYaml(text).faults).toEqual([]);
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    const few = cpuOf(20, 2_000); // first, so that the compiler's work is not counted with the many
    expect(cpuOf(1, 40_000) / few).toBeLessThan(5);
  });
});
