import { describe, expect, it } from 'vitest';

import type { ServerFacts } from '../engines/engine.js';
import { notesOnExtensions } from './extension-notes.js';

const server = (extensions?: unknown): ServerFacts => ({
  version: '17.6',
  major: 17,
  details: extensions === undefined ? {} : { extensions },
});

describe('notesOnExtensions', () => {
  it.each([
    ['the same versions', { a: '1.0', b: '2' }, { a: '1.0', b: '2' }, []],
    [
      'another version',
      { a: '1.0', b: '2' },
      { a: '1.1', b: '2' },
      ['The extension a has version 1.1; it had 1.0 where the backup was made.'],
    ],
    ['one that was not restored', { a: '1.0' }, {}, []],
    ['one more', {}, { a: '1.0' }, []],
    ['a manifest from before versions were read', undefined, { a: '1.0' }, []],
    ['another engine', { a: '1.0' }, undefined, []],
    ['a manifest with something else there', 'much', { a: '1.0' }, []],
  ])('%s', (_, before, after, notes) => {
    expect(notesOnExtensions(server(before), server(after))).toEqual(notes);
  });
});
