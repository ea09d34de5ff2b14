import { Module } from '@nestjs/common';

import { WorkFolder } from './work-folder.js';

/** Platform: what a process owns on its machine while it runs. */
@Module({ providers: [WorkFolder] })
export class ProcessModule {}
