import { describe, test } from 'vitest';

import { engineContract } from '../contracts/engine.contract.ts';
import { mongoTitle } from '../support/mongo-server.ts';
import { mongoServers } from '../support/mongo-servers.ts';
import { findMongoTools } from '../support/mongo-tools.ts';
import { openMongo } from './mongo-under-test.ts';

const tools = await findMongoTools();

describe.each(mongoServers().map((server) => ({ server, title: mongoTitle(server) })))(
  '$title',
  ({ server }) => {
    engineContract(`mongodb ${server.major}, built in`, ['archive'], () => openMongo(server));

    // A tool in a container cannot be killed from here, and nothing can be said of its processes.
    if (tools.areLocal)
      engineContract(`mongodb ${server.major}, by mongodump`, ['archive'], () =>
        openMongo(server, tools.folders),
      );
    else
      test('engine contract by mongodump', (context) =>
        context.skip(tools.missing ?? 'mongodump is in an image only, not on this machine'));
  },
);
