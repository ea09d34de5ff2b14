import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';

import { RootView } from './root.view.js';
import { SERVICE_VERSION } from './service-version.js';

@ApiTags('service')
@Controller()
export class RootController {
  /** Says what answers here. A browser is sent to the documentation. */
  @Get()
  @ApiOkResponse({ type: RootView })
  read(@Res() response: Response): void {
    const view: RootView = { name: 'backstop', version: SERVICE_VERSION, docs: '/docs' };
    // A browser names HTML first; `curl` and HTTP libraries ask for anything, which takes the first of these.
    if (response.req.accepts(['json', 'html']) === 'html') response.redirect('/docs');
    else response.json(view);
  }
}
