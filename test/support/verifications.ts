import type { Answer, Service } from './service.ts';
import { until } from './until.ts';

/** What tests look at in a verification's view. */
export interface VerificationBody {
  id: string;
  backup_id: string;
  database_id: string | null;
  database_name: string;
  level: string;
  level_reached: string | null;
  status: string;
  outcome: string | null;
  trigger: string;
  duration_seconds: number | null;
  attempt: number;
  progress?: { phase: string; bytes: number; bytes_total: number | null; percent?: number };
  copies: {
    destination: string;
    key: string;
    outcome: string;
    level: string | null;
    error: { code: string; retryable: boolean } | null;
  }[];
  error: { code: string; detail: string; retryable: boolean } | null;
}

/** Asks for a verification of a backup. */
export async function askVerification(
  service: Service,
  backupId: string,
  body: object = {},
  headers?: Record<string, string>,
): Promise<Answer<VerificationBody & { code?: string; facts?: Record<string, unknown> }>> {
  return service.request('POST', `/backups/${backupId}/verify`, body, headers);
}

/** Polls a verification until it is in one of these states. */
export async function verificationIn(
  service: Service,
  id: string,
  ...states: string[]
): Promise<VerificationBody> {
  return until(`verification ${id} to be ${states.join(' or ')}`, async () => {
    const { body } = await service.request<VerificationBody>('GET', `/verifications/${id}`);
    return states.includes(body.status) && body;
  });
}

/** Verifies a backup and gives the record when it has ended, well or badly. */
export async function endedVerification(
  service: Service,
  backupId: string,
  body: object = {},
): Promise<VerificationBody> {
  const asked = await askVerification(service, backupId, body);
  if (asked.status !== 202) throw new Error(`not accepted: ${asked.text}`);
  return verificationIn(service, asked.body.id, 'completed', 'failed', 'cancelled');
}
