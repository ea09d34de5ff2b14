import { expect, it } from 'vitest';

import { HandClock, startFailing, takesConnections } from './failing-service.ts';

it('stops listening at once and lets a running request end', async () => {
  const { app, url, gate } = await startFailing(new HandClock());
  const answer = fetch(`${url}/fail/slow`);
  await gate.reached;
  const closed = app.close();
  await expect.poll(() => takesConnections(url)).toBe(false);
  gate.open();
  expect(await (await answer).text()).toBe('done');
  await closed;
});

it('cuts a request that does not end', async () => {
  const clock = new HandClock();
  const { app, url, gate } = await startFailing(clock);
  const answer = fetch(`${url}/fail/slow`);
  answer.catch(() => undefined);
  await gate.reached;
  const closed = app.close();
  await clock.slept;
  clock.endAllWaits();
  await closed;
  await expect(answer).rejects.toThrow();
  gate.open();
});
