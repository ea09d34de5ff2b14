import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { createServer, type Server } from 'node:tls';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Connection, TlsChoice } from '../../src/engines/engine.ts';
import { dumped, plainCall } from '../contracts/engine-under-test.ts';
import { type Certificate, makeCertificate } from '../support/certificates.ts';
import {
  type FreshMongoDatabase,
  freshMongoDatabase,
  mongoServers,
  newestMongoServer,
} from '../support/mongo-servers.ts';
import { findMongoTools } from '../support/mongo-tools.ts';
import { connectionToMongo, mongoEngine } from './mongo-under-test.ts';

const tools = await findMongoTools();

/** A real server behind an end of TLS: what it says and asks of certificates is Node's, so that every server can be had so. */
describe.runIf(mongoServers().length > 0)('MongoDB over TLS', () => {
  let folder: string;
  let ca: string;
  let otherCa: string;
  let client: Certificate;
  let database: FreshMongoDatabase;
  /** Takes everybody, and one that asks for a certificate of the client. */
  let open: Server;
  let strict: Server;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'backstop-tls-'));
    ({ cert: ca } = await makeCertificate(folder, 'ca', 'Test CA'));
    ({ cert: otherCa } = await makeCertificate(folder, 'other', 'Other CA'));
    const server = await makeCertificate(folder, 'server', 'localhost', 'ca');
    client = await makeCertificate(folder, 'client', 'backup', 'ca');
    open = await endOfTls(server, {});
    strict = await endOfTls(server, { ca, requestCert: true, rejectUnauthorized: true });
    database = await freshMongoDatabase(newestMongoServer(), 'tls');
    await database.db.collection('a').insertMany([{ n: 1 }, { n: 2 }]);
  });
  afterAll(async () => {
    open.close();
    strict.close();
    await database[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  function to(server: Server, tls: TlsChoice, host = 'localhost'): Connection {
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return { ...connectionToMongo(newestMongoServer(), database.name), host, port, tls };
  }

  describe.each(['builtin', 'mongodump'] as const)('by %s', (tool) => {
    const isMissing = tool === 'mongodump' && tools.missing !== undefined;
    const engine = () => mongoEngine(join(folder, 'work'), tools.folders);

    // At once: what a driver finds wrong it finds wrong for 10 s.
    test.concurrent.for<[string, () => Connection, string]>([
      ['prefer', () => to(open, { mode: 'prefer' }), ''],
      ['require, signed by anybody', () => to(open, { mode: 'require' }), ''],
      ['verify-ca, the right one', () => to(open, { mode: 'verify-ca', ca }), ''],
      ['verify-ca, another one', () => to(open, { mode: 'verify-ca', ca: otherCa }), 'tls-failed'],
      ['verify-ca, another name', () => to(open, { mode: 'verify-ca', ca }, '127.0.0.1'), ''],
      ['verify-full, the right name', () => to(open, { mode: 'verify-full', ca }), ''],
      ['verify-full, another name', () => to(open, { mode: 'verify-full', ca }, '127.0.0.1'), 'tls-failed'],
      ['verify-full, signed by nobody known', () => to(open, { mode: 'verify-full' }), 'tls-failed'],
      ['a client certificate', () => to(strict, { mode: 'verify-full', ca, ...client }), ''],
      ['no client certificate where one is asked for', () => to(strict, { mode: 'require' }), 'tls-failed'],
      ['no TLS where the server has nothing else', () => to(open, { mode: 'disable' }), 'server-unreachable'],
    ])('%s', async ([, connection, code], context) => {
      const { expect } = context;
      context.skip(isMissing, tools.missing);
      const at = connection();
      const dump = dumped(engine(), at, { tool });
      // It checks the name, or nothing.
      if (tool === 'mongodump' && at.tls.mode === 'verify-ca')
        await expect(dump).rejects.toMatchObject({ code: code === '' ? 'tool-unfit' : code });
      else if (code === '') expect((await dump).content.items).toMatchObject([{ name: 'a', rows: 2 }]);
      else await expect(dump).rejects.toMatchObject({ code });
    });
  });

  test('the key of a client stands in no error', async () => {
    const engine = mongoEngine(join(folder, 'work'));
    const wrong = to(strict, { mode: 'verify-full', ca: otherCa, ...client });
    const error: unknown = await engine.probe(wrong, plainCall()).catch((thrown: unknown) => thrown);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error ?? {}))).not.toContain(
      client.key.slice(60, 120),
    );
  });

  test('a name of an SRV record leads to the members', (context) => {
    context.skip(
      'needs a name server of the test’s own, which the resolver of this machine would have to ask',
    );
  });

  async function endOfTls(own: Certificate, options: object): Promise<Server> {
    const { host, port } = newestMongoServer();
    const server = createServer({ ...own, ...options }, (socket) => {
      const upstream = connect(port, host);
      pipeline(socket, upstream, () => upstream.destroy());
      pipeline(upstream, socket, () => socket.destroy());
    });
    server.on('tlsClientError', () => undefined); // whoever connects without TLS, or with a wrong certificate
    server.listen(0); // both families: the name is asked for, too
    await once(server, 'listening');
    return server;
  }
});
