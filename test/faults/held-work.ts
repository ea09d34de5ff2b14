import { once } from 'node:events';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';

import type { PhasePoint } from '../../src/process/phase-points.ts';
import type { Answer, Service } from '../support/service.ts';
import { until } from '../support/until.ts';
import { aim, standsStillAt } from './strike.ts';

/** How long the answer to a request may be under way that was sent before the service stood still. */
const ANSWER_MS = 1_000;

/** Work of a service that can be struck, and the folder from which it is aimed at. */
export interface AskedWork {
  dataDir: string;
  service: Service;
  /** `backups`, `restores` or `verifications`. */
  kind: string;
  ask: (service: Service) => Promise<unknown>;
}

/**
 * Lets a service stand still at a point of its work, sends it the request to cancel that work, and lets it go on: the request
 * is the first thing that it reads then.
 * @returns the id of the work, and the status of the answer to the cancel request
 */
export async function cancelAt(point: PhasePoint, work: AskedWork): Promise<{ id: string; status: number }> {
  const { dataDir, service, kind } = work;
  await aim(dataDir, { point, signal: 'SIGSTOP' });
  let id: string | undefined;
  const asking = work.ask(service).then((answer) => (id = idOf(answer)));
  await standsStillAt(point, { pid: service.pid, folder: dataDir });
  // The answer is sent before the work begins. Should it be stuck in a service that stands still, the cancel comes a bit later.
  await until('the answer', () => id, ANSWER_MS).catch(() => process.kill(service.pid, 'SIGCONT'));
  id ??= await asking;
  const status = await post(`${service.url}/${kind}/${id}/cancel`, () =>
    process.kill(service.pid, 'SIGCONT'),
  );
  return { id, status };
}

function idOf(answer: unknown): string {
  return (answer as Answer<{ id: string }>).body.id;
}

/** Calls `sent` when the operating system has the request, and gives the status of the answer. */
async function post(url: string, sent: () => void): Promise<number> {
  const asked = request(url, { method: 'POST', agent: false });
  const answered = once(asked, 'response');
  asked.end(sent);
  const [answer] = await answered;
  await text(answer);
  return answer.statusCode;
}
