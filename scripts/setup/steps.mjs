// @ts-check

/**
 * One thing that a machine needs.
 *
 * @typedef {object} Step
 * @property {string} name
 * @property {readonly string[]} after Names of steps that must be done first, where they are part of the same set-up.
 * @property {boolean} required Whether nothing works without it. Otherwise what it serves is skipped.
 * @property {() => Promise<string | undefined>} plan What it is going to do and why, in a phrase; undefined when it is done.
 * @property {() => Promise<string>} carryOut Does it, and gives what was done in a phrase.
 */

/**
 * Carries out what is not done yet, at the same time where nothing has to wait, and prints first what and why, then a line
 * for each step with its seconds.
 *
 * @param {string} purpose What the set-up is for, as in "set-up for the tests".
 * @param {readonly Step[]} steps
 * @returns {Promise<boolean>} False when a required step failed.
 */
export async function carryOut(purpose, steps) {
  const began = performance.now();
  const plans = await Promise.all(steps.map(async (step) => ({ step, what: await step.plan() })));
  const open = plans.filter((plan) => plan.what !== undefined);
  if (open.length === 0) {
    say(`Set-up ${purpose}: everything is here (${secondsSince(began)}).`);
    return true;
  }
  say(`Set-up ${purpose}. Missing here:`);
  for (const { step, what } of open) say(`  ${step.name.padEnd(14)} ${what}`);
  say('');

  /** @type {Map<string, Promise<boolean>>} */
  const running = new Map();
  for (const { step } of open) running.set(step.name, runAfter(step, running));
  const outcomes = await Promise.all(running.values());
  const failed = open.some(({ step }, index) => step.required && !outcomes[index]);
  say(failed ? `Set-up failed after ${secondsSince(began)}.` : `Set-up took ${secondsSince(began)}.`);
  return !failed;
}

/**
 * Steps are listed after those that they wait for, so each of these is in `running` already, or had nothing to do.
 *
 * @param {Step} step
 * @param {ReadonlyMap<string, Promise<boolean>>} running
 * @returns {Promise<boolean>} Whether it is done.
 */
async function runAfter(step, running) {
  for (const name of step.after) {
    if (!(await (running.get(name) ?? true))) {
      say(`  ${'left out'.padEnd(9)} ${step.name.padEnd(14)}           it needs: ${name}`);
      return false;
    }
  }
  const began = performance.now();
  try {
    const done = await step.carryOut();
    say(`  ${'done'.padEnd(9)} ${step.name.padEnd(14)} ${secondsSince(began).padStart(8)}  ${done}`);
    return true;
  } catch (error) {
    const word = step.required ? 'FAILED' : 'left out';
    const why = error instanceof Error ? error.message : String(error);
    say(`  ${word.padEnd(9)} ${step.name.padEnd(14)} ${secondsSince(began).padStart(8)}  ${why}`);
    return false;
  }
}

/** @param {number} began */
function secondsSince(began) {
  return `${((performance.now() - began) / 1000).toFixed(1)} s`;
}

/** @param {string} line */
function say(line) {
  process.stdout.write(`${line}\n`);
}
