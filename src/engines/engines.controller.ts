import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';

import { EngineRegistry } from './engine-registry.js';
import { EngineView, toEngineView } from './engine.view.js';

@ApiTags('engines')
@Controller('engines')
export class EnginesController {
  constructor(private readonly engines: EngineRegistry) {}

  /** The kinds of databases that can be backed up, and the client tools that were found for them. */
  @Get()
  async list(): Promise<EngineView[]> {
    return Promise.all(this.engines.all().map(async (engine) => toEngineView(engine, await engine.tools())));
  }
}
