import { describe } from 'vitest';

import { engineContract } from '../contracts/engine.contract.ts';
import { mongoTitle } from '../support/mongo-server.ts';
import { mongoServers } from '../support/mongo-servers.ts';
import { openMongo } from './mongo-under-test.ts';

describe.each(mongoServers().map((server) => ({ server, title: mongoTitle(server) })))(
  '$title',
  ({ server }) => {
    engineContract(`mongodb ${server.major}, built in`, ['archive'], () => openMongo(server));
  },
);
