// @ts-check
import { ensurePostgresClients, findPostgresClients, WANTED_MAJORS } from './postgres-clients.mjs';

/** @typedef {import('./steps.mjs').Step} Step */

/** @type {Step} */
export const clientTools = {
  name: 'client tools',
  after: [],
  required: false,
  plan: async () => {
    const folders = await findPostgresClients();
    const absent = WANTED_MAJORS.filter((major) => folders[major] === undefined);
    if (absent.length === 0) return undefined;
    return `pg_dump and pg_restore of PostgreSQL ${absent.join(', ')}, unpacked below .cache; nothing is installed`;
  },
  carryOut: async () => {
    const clients = await ensurePostgresClients();
    if (clients.missing !== undefined) throw new Error(clients.missing);
    return `PostgreSQL ${clients.unpacked.join(', ')} unpacked`;
  },
};
