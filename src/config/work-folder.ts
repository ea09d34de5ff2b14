import { createHash } from 'node:crypto';
import { join } from 'node:path';

/**
 * The service's own folder below `WORK_DIR`. Its name comes from the place of the catalog: it is the same after a restart,
 * other than that of another service, and never a folder with somebody else's files, even for `WORK_DIR=/tmp`.
 */
export function workFolderOf(workDir: string, catalogPlace: string): string {
  return join(workDir, `backstop-${createHash('sha256').update(catalogPlace).digest('hex').slice(0, 12)}`);
}
