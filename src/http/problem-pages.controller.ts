import { Controller, Get, Param, Res } from '@nestjs/common';
import { ApiOkResponse, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';

import { ProblemPageNotFoundError } from './http.errors.js';
import { findProblemPage, type ProblemPage } from './problem-pages.js';
import { Problems } from './problems.decorator.js';

@ApiTags('service')
@Controller('docs/problems')
export class ProblemPagesController {
  /** Explains a problem: what happened, why, and what to do. This is where the `type` of every error leads. */
  @Get(':code')
  @ApiParam({ name: 'code', description: 'The `code` of the error.', example: 'backup-locked' })
  @ApiOkResponse({
    description: 'Markdown, or for a browser the same as a page.',
    content: { 'text/markdown': { schema: { type: 'string' } }, 'text/html': { schema: { type: 'string' } } },
  })
  @Problems('problem-page-not-found')
  read(@Param('code') code: string, @Res() response: Response): void {
    const page = findProblemPage(code);
    if (page === undefined) throw new ProblemPageNotFoundError(code);
    const asPage = response.req.accepts(['text/markdown', 'html']) === 'html';
    response.type(asPage ? 'html' : 'text/markdown').send(asPage ? toHtml(page) : page.markdown);
  }
}

/** The page's text as it is, readable in a browser; it is short, and Markdown reads well unrendered. */
function toHtml(page: ProblemPage): string {
  const escape = (text: string): string =>
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(page.title)}</title>
<style>body { font: 1rem/1.6 ui-monospace, monospace; max-width: 46rem; margin: 3rem auto; padding: 0 1rem; white-space: pre-wrap }</style>
<body>${escape(page.markdown)}</body>
</html>
`;
}
