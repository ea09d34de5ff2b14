import { Global, Module } from '@nestjs/common';

import { Clock } from './clock.js';
import { SystemClock } from './system-clock.js';

/** Platform: the clock, for every room. */
@Global()
@Module({ providers: [{ provide: Clock, useClass: SystemClock }], exports: [Clock] })
export class ClockModule {}
