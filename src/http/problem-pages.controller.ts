import { Controller, Get, Param, Res } from '@nestjs/common';
import { ApiOkResponse, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';

import { ProblemPageNotFoundError } from './http.errors.js';
import { problemHtml } from './problem-html.js';
import { findProblemPage } from './problem-pages.js';
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
  async read(@Param('code') code: string, @Res() response: Response): Promise<void> {
    const page = findProblemPage(code);
    if (page === undefined) throw new ProblemPageNotFoundError(code);
    const asPage = response.req.accepts(['text/markdown', 'html']) === 'html';
    response.type(asPage ? 'html' : 'text/markdown').send(asPage ? await problemHtml(page) : page.markdown);
  }
}
