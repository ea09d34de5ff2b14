import { readFile } from 'node:fs/promises';

/** Where Linux lets a process sleep that writes to a full pipe or socket. */
const WRITING = /pipe_write|sock_alloc_send|unix_stream_sendmsg|sock_wait_for_wmem/;

/**
 * Whether a process, or one that it has started, waits for whoever reads its output: told by the kernel, so that no test has
 * to wait and see whether it goes on. A process that is gone does not.
 */
export async function isWaitingToWrite(pid: number): Promise<boolean> {
  const place = await readFile(`/proc/${pid}/wchan`, 'utf8').catch(() => '');
  if (WRITING.test(place)) return true;
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  for (const child of children.split(' ').filter((word) => word !== '')) {
    if (await isWaitingToWrite(Number(child))) return true;
  }
  return false;
}
