/**
 * Loaded into the service before its own code (`node --import`), by `strikeEnv`. Listens on the channel of phase points and
 * sends the process a signal when it gets to the point that the strike file names. The file is looked at anew at each point,
 * so a test aims while the service runs. What has been reached is written beside it.
 */
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync, readFileSync } from 'node:fs';

const file = process.env['BACKSTOP_STRIKE_FILE'] ?? '';
let aimedAt = '';
let seen = 0;

/** What a test has asked for; undefined while it has not. */
function aim(): { text: string; point: string; nth: number; signal: NodeJS.Signals } | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    return { text, ...JSON.parse(text) };
  } catch {
    return undefined;
  }
}

subscribe('backstop:phase', (point) => {
  appendFileSync(`${file}.reached`, `${String(point)}\n`);
  const strike = aim();
  if (strike === undefined || strike.point !== point) return;
  if (strike.text !== aimedAt) seen = 0;
  aimedAt = strike.text;
  seen += 1;
  // SIGKILL and SIGSTOP take effect before this call returns, so not one more line of the service runs.
  if (seen === strike.nth) process.kill(process.pid, strike.signal);
});
