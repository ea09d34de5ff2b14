// @ts-check
import { answers } from './docker-engine.mjs';
import { ensureImage, hasImage } from './images.mjs';

/** @typedef {import('./steps.mjs').Step} Step */

/** What the tests start, and what they build this project's own image on. */
const IMAGES = ['postgres:15', 'postgres:17', 'postgres:18', 'node:24-bookworm-slim', 'mongo:8'];

/** @type {Step} */
export const testImages = {
  name: 'images',
  // The stand-in for node holds the Node of node_modules.
  after: ['dependencies', 'docker engine'],
  required: false,
  plan: async () => {
    const absent = (await answers()) ? await absentImages() : IMAGES;
    return absent.length === 0
      ? undefined
      : `${absent.join(', ')}: pulled, or else built from Debian's packages`;
  },
  carryOut: async () => {
    const ready = [];
    const failures = [];
    for (const name of await absentImages()) {
      try {
        ready.push(await ensureImage(name));
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
    }
    if (failures.length > 0) throw new Error(failures.join('\n'));
    return ready.map((image) => `${image.reference} (${image.got})`).join(', ');
  },
};

async function absentImages() {
  const present = await Promise.all(
    IMAGES.map(async (name) => (await hasImage(name)) || (await hasImage(`local/${name}`))),
  );
  return IMAGES.filter((_name, index) => !present[index]);
}
