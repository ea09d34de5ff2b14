import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';

import { Config } from '../config/config.js';
import { Queue } from './queue.js';

/**
 * Stops the queue before anything that the workers use closes. It is started by `serve.ts`, last of all: what is claimed by a
 * service that then cannot start (its port is taken, a database that it is told of is wrong) is work begun to be killed.
 */
@Injectable()
export class QueueLifecycle implements BeforeApplicationShutdown {
  constructor(
    private readonly queue: Queue,
    private readonly config: Config,
  ) {}

  async beforeApplicationShutdown(): Promise<void> {
    await this.queue.stop(this.config.shutdownGraceSeconds * 1000);
  }
}
