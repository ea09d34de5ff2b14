import { getSchemaPath } from '@nestjs/swagger';

import { findProblemPage, type ProblemPage, problemType } from './problem-pages.js';
import { ProblemView } from './problem.view.js';

export const PROBLEM_JSON = 'application/problem+json';

/** An answer as OpenAPI describes it, with one example for each code. */
export interface ProblemResponse {
  description: string;
  content: Record<typeof PROBLEM_JSON, ProblemContent>;
}

interface ProblemContent {
  schema: { $ref: string };
  examples: Record<string, { summary: string; value: ProblemView }>;
}

/** The answers that these problems give, by status. Throws for a code whose page is missing or incomplete. */
export function problemResponses(codes: readonly string[]): Record<number, ProblemResponse> {
  const byStatus: Record<number, ProblemResponse> = {};
  for (const code of codes) {
    const page = findProblemPage(code);
    if (page?.status === undefined) {
      throw new Error(`docs/problems/${code}.md is missing, or lacks its line "HTTP status NNN"`);
    }
    const response = (byStatus[page.status] ??= emptyResponse());
    response.description += `${response.description === '' ? '' : '; '}${page.title} (\`${code}\`)`;
    response.content[PROBLEM_JSON].examples[code] = {
      summary: page.title,
      value: exampleOf(page, page.status),
    };
  }
  return byStatus;
}

function emptyResponse(): ProblemResponse {
  return {
    description: '',
    content: { [PROBLEM_JSON]: { schema: { $ref: getSchemaPath(ProblemView) }, examples: {} } },
  };
}

function exampleOf(page: ProblemPage, status: number): ProblemView {
  return {
    type: problemType(page.code),
    title: page.title,
    status,
    detail: firstSentence(page.markdown),
    instance: '/…',
    code: page.code,
    request_id: '019aa5b0-3c1e-7d43-9a51-6f3f0b1c2d3e',
    retryable: false,
  };
}

/** The first sentence of the text, without the mark-up around it. */
function firstSentence(markdown: string): string {
  const text = markdown
    .split('\n\n')
    .filter((paragraph) => !/^(#|HTTP status)/.test(paragraph))[0]
    ?.replace(/^\*\*[^*]+\*\*\s*/, '')
    .replaceAll('\n', ' ')
    .trim();
  return /^.*?[.:](?=\s|$)/.exec(text ?? '')?.[0] ?? text ?? '';
}
