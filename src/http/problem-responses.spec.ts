import { describe, expect, it } from 'vitest';

import { problemResponses } from './problem-responses.js';

describe('the answers with problems, as the API documents them', () => {
  it('are grouped by status, with an example of each code', () => {
    const responses = problemResponses(['invalid-json', 'route-not-found', 'invalid-cursor']);
    expect(Object.keys(responses)).toEqual(['400', '404']);
    expect(responses[400]?.description).toBe(
      'The body is not JSON (`invalid-json`); The cursor is not valid (`invalid-cursor`)',
    );
    const examples = responses[404]?.content['application/problem+json'].examples;
    expect(examples?.['route-not-found']?.value).toMatchObject({
      type: '/docs/problems/route-not-found',
      title: 'There is no such operation',
      status: 404,
      code: 'route-not-found',
      detail: 'No operation has this path.',
    });
  });

  it('need a page for every code', () => {
    expect(() => problemResponses(['no-such-code'])).toThrow('docs/problems/no-such-code.md is missing');
  });
});
