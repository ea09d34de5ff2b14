import { readFile, writeFile } from 'node:fs/promises';

/** Ticks of a second in /proc; 100 on every Linux that Node runs on. */
const TICKS = 100;

/** CPU seconds, user and system, of a process so far. */
export interface CpuSeconds {
  own: number;
  /** Of its children that have ended. */
  children: number;
}

export async function cpuSeconds(pid: number): Promise<CpuSeconds> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name, in parentheses, may hold blanks. Behind it the fields 14 to 17 of proc(5) are the 12th to 15th.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = fields.slice(11, 15);
  return { own: (user + system) / TICKS, children: (childrenUser + childrenSystem) / TICKS };
}

/** Resident memory of a process in bytes: now, and at its highest since the start or `forgetPeak`. */
export async function residentBytes(pid: number): Promise<{ now: number; peak: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
  return { now: kilobytes('VmRSS'), peak: kilobytes('VmHWM') };
}

/** Makes the peak begin anew at what is resident now. */
export async function forgetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5');
}
