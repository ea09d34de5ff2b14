/**
 * Loaded into the service before its own code (`node --import`), by `strikeEnv`. Listens on the channel of phase points and
 * sends the process a signal when it gets to the point that the strike file names, or some time after the first point. The file is
 * looked at anew at each point, so a test aims while the service runs. What has been reached is written beside it.
 */
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync, readFileSync } from 'node:fs';

const file = process.env['BACKSTOP_STRIKE_FILE'] ?? '';
let aimedAt = '';
let seen = 0;

interface Aim {
  signal: NodeJS.Signals;
  point?: string;
  nth?: number;
  afterMs?: number;
}

/** What a test has asked for; undefined while it has not. */
function readAim(): { text: string; aim: Aim } | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    return { text, aim: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

subscribe('backstop:phase', (point) => {
  appendFileSync(`${file}.reached`, `${String(point)}\n`);
  const found = readAim();
  if (found === undefined) return;
  const { aim, text } = found;
  const isNew = text !== aimedAt;
  if (isNew) seen = 0;
  aimedAt = text;
  if (aim.afterMs !== undefined) {
    if (isNew) setTimeout(() => process.kill(process.pid, aim.signal), aim.afterMs);
    return;
  }
  if (aim.point === point) seen += 1;
  // SIGKILL and SIGSTOP take effect before this call returns, so not one more line of the service runs.
  if (aim.point === point && seen === aim.nth) process.kill(process.pid, aim.signal);
});
