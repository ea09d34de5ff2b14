import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { workFiles } from '../support/restores.ts';
import { type Service } from '../support/service.ts';
import { until } from '../support/until.ts';
import { childrenOf } from './outage-world.ts';

const PRELOAD = fileURLToPath(new URL('./meter-preload.ts', import.meta.url));

/** Settings with which a service answers {@link measure}. Nothing of it is in the product: Node loads it before. */
export const METER_ENV = { NODE_OPTIONS: `--expose-gc --import ${PRELOAD}` };

/** What a process holds that it may forget to give back. */
export interface Holdings {
  handles: number;
  children: number;
  temporaryFiles: number;
  heapMb: number;
  rssMb: number;
}

export async function openHandles(service: Service): Promise<number> {
  return (await readdir(`/proc/${service.pid}/fd`)).length;
}

/** Measures a service at rest; its garbage is collected first. */
export async function measure(service: Service): Promise<Holdings> {
  const seen = service.stderr().split('\n').length;
  process.kill(service.pid, 'SIGUSR2');
  const line = await lineAfter(service, seen);
  const memory: { heapUsed: number; rss: number } = JSON.parse(line);
  return {
    handles: await openHandles(service),
    children: (await childrenOf(service)).length,
    temporaryFiles: (await workFiles(service.dataDir)).length,
    heapMb: Math.round(memory.heapUsed / 1e5) / 10,
    rssMb: Math.round(memory.rss / 1e6),
  };
}

async function lineAfter(service: Service, seen: number): Promise<string> {
  return until('the service to tell its memory', () => {
    const lines = service.stderr().split('\n');
    return lines.length > seen && lines.at(-2);
  });
}
