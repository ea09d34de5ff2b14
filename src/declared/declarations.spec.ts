import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { readDeclarations } from './declarations.js';
import { faultText } from './fault.js';

/** The faults of a file with these texts below `databases:`, without their lines. */
const faultsOf = (...databases: string[]): string[] =>
  faultsOfFile(`databases:\n${databases.map((fields) => `  - {${fields}}\n`).join('')}`);
const faultsOfFile = (text: string): string[] =>
  readDeclarations(text).faults.map(({ path, detail }) => faultText({ path, detail }));

const SHOP = 'name: shop, engine: postgres, host: db, database_name: shop';

describe('what a file declares', () => {
  it('is read from the example, which has no fault', () => {
    const text = readFileSync(new URL('../../config/config.example.yaml', import.meta.url), 'utf8');
    const { databases, schedules, faults } = readDeclarations(text);
    expect(faults).toEqual([]);
    expect(databases.map(({ name }) => name)).toEqual(['shop', 'articles']);
    expect(schedules.map(({ name, database }) => [database, name])).toEqual([['shop', 'hourly']]);
  });

  it('is in the words of the code, and leaves alone what it does not mention', () => {
    const { databases } = readDeclarations(
      `databases: [{${SHOP}, password_var: SHOP_PASSWORD, schedule: 0 3 * * *, timezone: Asia/Jakarta, max_backups: 5, keep_daily: null}]`,
    );
    expect(databases[0]).toMatchObject({
      name: 'shop',
      engine: 'postgres',
      isFaulty: false,
      edits: {
        connection: { host: 'db', databaseName: 'shop', passwordVar: 'SHOP_PASSWORD' },
        schedule: { cron: '0 3 * * *', timezone: 'Asia/Jakarta', enabled: undefined },
        retention: { maxBackups: 5, keepDaily: null },
      },
    });
    expect(databases[0]?.edits.connection.port).toBeUndefined();
  });

  it.each([[''], ['databases:\n'], ['databases: []\nschedules:\n'], ['# later\n']])(
    'may be nothing: %j',
    (text) => {
      expect(readDeclarations(text)).toMatchObject({ databases: [], schedules: [], faults: [] });
    },
  );

  it.each([
    ['a list', '- name: shop', 'must be a map with databases: and schedules:'],
    ['a text', 'shop', 'must be a map with databases: and schedules:'],
    ['databases as a map', 'databases: {shop: {}}', 'databases: must be a list'],
    ['an unknown section', 'database: []', 'database: is not a known field'],
    ['destinations', 'destinations: []', /^destinations: does nothing yet .* BACKUP_DIR$/],
    ['notifications', 'notifications: []', /^notifications: does nothing yet /],
    ['an item that is no map', 'databases: [shop]', 'databases[0]: must be a map of fields'],
    ['an empty item', 'databases: [null]', 'databases[0]: must be a map of fields'],
  ])('cannot be %s', (_name, text, fault) => {
    expect(faultsOfFile(text)).toEqual([typeof fault === 'string' ? fault : expect.stringMatching(fault)]);
  });

  it.each([
    ['no name', 'engine: postgres, host: db', /^databases\[0\]\.name: is missing$/],
    ['a name that is none', 'name: my shop', /^databases\[0\]\.name: /],
    ['a number as the name', 'name: 5', /^databases\[0\]\.name: must be a string$/],
    [
      'an unknown engine',
      'name: a, engine: oracle',
      /^databases\[0\]\.engine: there is no engine "oracle"; known: /,
    ],
    ['a port as text', 'name: a, port: "5432"', /^databases\[0\]\.port: must be a number$/],
    ['a port that is none', 'name: a, port: 70000', /^databases\[0\]\.port: The port must be/],
    ['a host with a port', 'name: a, host: "db:5432"', /^databases\[0\]\.host: /],
    [
      'an unknown field',
      'name: a, retention: 5',
      /^databases\[0\]\.retention: is not a known field; give retention_days/,
    ],
    ['an unknown field of a kind', 'name: a, shedule: x', /^databases\[0\]\.shedule: is not a known field$/],
    [
      'a field that JavaScript has',
      'name: a, constructor: x',
      /^databases\[0\]\.constructor: is not a known field$/,
    ],
    ['a password', 'name: a, password: fake', /^databases\[0\]\.password: is a secret, .* password_var/],
    [
      'a password in a URI',
      'name: a, uri: "postgres://u:fake@db/x"',
      /^databases\[0\]\.uri: holds a password, .* password_var/,
    ],
    [
      'one in a URI of nobody knows what',
      'name: a, engine: x, uri: "mongodb://u:fake@db/x"',
      /^databases\[0\]\.(engine|uri): /,
    ],
    ['a URI that is none', 'name: a, engine: postgres, uri: "http://u:fake@db/x"', /^databases\[0\]\.uri: /],
    ['a private key', 'name: a, tls: {key: fake}', /^databases\[0\]\.tls\.key: is a secret/],
    ['a certificate that is none', 'name: a, tls: {ca: fake}', /^databases\[0\]\.tls\.ca: /],
    [
      'our own secret as a variable',
      'name: a, password_var: BACKSTOP_SECRET_KEY',
      /^databases\[0\]\.password_var: BACKSTOP_SECRET_KEY is one/,
    ],
    ['a variable that is none', 'name: a, password_var: "$SHOP"', /^databases\[0\]\.password_var: /],
    [
      'user and variable',
      'name: a, username: u, username_var: U',
      /^databases\[0\]: Both username and username_var/,
    ],
    [
      'host twice',
      'name: a, engine: postgres, host: a, uri: "postgres://b/c"',
      /^databases\[0\]: Both the uri and host/,
    ],
    [
      'an option of another engine',
      'name: a, engine: postgres, options: {tool: mongodump}',
      /^databases\[0\]\.options\.tool: /,
    ],
    [
      'a level without compression',
      'name: a, engine: postgres, options: {compression: none, compression_level: 3}',
      /^databases\[0\]\.options\.compression_level: /,
    ],
    [
      'an unknown option',
      'name: a, options: {compress: zstd}',
      /^databases\[0\]\.options\.compress: is not a known field$/,
    ],
    [
      'an unknown parameter',
      'name: a, engine: mongodb, parameters: {x: y}',
      /^databases\[0\]\.parameters\.x: /,
    ],
    ['destinations', 'name: a, destinations: [x]', /^databases\[0\]\.destinations: does nothing yet/],
    [
      'six fields of cron',
      'name: a, schedule: "0 0 3 * * *"',
      /^databases\[0\]\.schedule: must have 5 fields.*seconds/,
    ],
    [
      'minute 60',
      'name: a, schedule: "60 * * * *"',
      /^databases\[0\]\.schedule: the minute field has "60": allowed are 0 to 59/,
    ],
    [
      'the 31st of February',
      'name: a, schedule: "0 0 31 2 *"',
      /^databases\[0\]\.schedule: "0 0 31 2 \*" never fires/,
    ],
    ['cron under its other name', 'name: a, cron: "0 3 * * *"', /^databases\[0\]\.cron: .* called schedule$/],
    [
      'cron and an interval',
      'name: a, schedule: "0 3 * * *", interval_hours: 6',
      /^databases\[0\]: Both schedule and interval_hours/,
    ],
    ['an interval of nothing', 'name: a, interval_hours: 0', /^databases\[0\]\.interval_hours: /],
    [
      'an unknown zone',
      'name: a, timezone: Mars/Olympus',
      /^databases\[0\]\.timezone: "Mars\/Olympus" is no time zone/,
    ],
    [
      'no days of retention',
      'name: a, retention_days: 0',
      /^databases\[0\]\.retention_days: .*0 would delete every backup/,
    ],
    ['days before today', 'name: a, retention_days: -1', /^databases\[0\]\.retention_days: /],
    ['no backups', 'name: a, max_backups: 0', /^databases\[0\]\.max_backups: /],
    ['a floor above the limit', 'name: a, max_backups: 3, min_backups: 4', /^databases\[0\]\.min_backups: /],
    ['yes for true', 'name: a, enabled: yes', /^databases\[0\]\.enabled: must be a boolean value$/],
  ])('refuses %s', (_name, fields, fault) => {
    expect(faultsOf(fields)).toEqual(expect.arrayContaining([expect.stringMatching(fault)]));
    expect(faultsOf(fields).join()).not.toContain('fake');
  });

  it('tells every fault at once, and each once', () => {
    const found = faultsOf(
      `${SHOP}, port: 0, retention_days: 0, max_backups: 0, schedule: "60 * * * *", interval_hours: 1, timezone: x/y`,
      'name: second, host: "a b", options: {format: x, timeout_seconds: 0, nonsense: 1}, unknown: 1',
    );
    expect(found.map((fault) => fault.replace(/:.*/s, '')).toSorted()).toEqual([
      'databases[0]',
      'databases[0].max_backups',
      'databases[0].port',
      'databases[0].retention_days',
      'databases[0].schedule',
      'databases[0].timezone',
      'databases[1].host',
      'databases[1].options.format',
      'databases[1].options.nonsense',
      'databases[1].options.timeout_seconds',
      'databases[1].unknown',
    ]);
    expect(new Set(found).size).toBe(found.length);
  });

  it('knows the line of each', () => {
    const { faults } = readDeclarations(
      `databases:\n  - name: a\n    port: 0\n\n    schedule: "x"\n  - host: y\n`,
    );
    expect(faults.map(({ path, line }) => [path, line])).toEqual([
      ['databases[0].port', 3],
      ['databases[0].schedule', 5],
      ['databases[1].name', 6],
    ]);
  });

  it('refuses two databases of one name, and two schedules', () => {
    expect(faultsOf(SHOP, 'name: b', 'name: shop')).toEqual([
      'databases[2].name: "shop" is the name of databases[0] already',
    ]);
    expect(
      faultsOfFile(
        'schedules: [{database_id: a, name: x, interval_hours: 1}, {database_id: b, name: x, interval_hours: 1}, {database_id: a, name: x, interval_hours: 2}]',
      ),
    ).toEqual(['schedules[2].name: "x" is the name of schedules[0] already']);
  });

  it('refuses to say the default schedule in two places', () => {
    const file = (fields: string): string[] =>
      faultsOfFile(
        `databases: [{${SHOP}${fields}}]\nschedules: [{database_id: shop, name: default, interval_hours: 1}]`,
      );
    expect(file(', timezone: UTC')).toEqual([
      expect.stringMatching(/^schedules\[0\]\.name: is the schedule that/),
    ]);
    expect(file('')).toEqual([]);
  });

  it.each([
    ['no database', 'name: x, interval_hours: 1', /^schedules\[0\]\.database_id: is missing$/],
    ['no name', 'database_id: a, interval_hours: 1', /^schedules\[0\]\.name: is missing$/],
    [
      'cron and an interval',
      'database_id: a, name: x, cron: "0 3 * * *", interval_hours: 1',
      /^schedules\[0\]: Both cron/,
    ],
    [
      'the wrong word',
      'database_id: a, name: x, schedule: "0 3 * * *"',
      /^schedules\[0\]\.schedule: .* called cron$/,
    ],
    [
      'a blackout that is none',
      'database_id: a, name: x, interval_hours: 1, blackouts: [{from: "25:00", to: "1:00"}]',
      /^schedules\[0\]\.blackouts\[0\]\.from: /,
    ],
    [
      'a week of blackouts',
      'database_id: a, name: x, interval_hours: 1, blackouts: [{from: "00:00", to: "24:00"}]',
      /^schedules\[0\]\.blackouts: /,
    ],
    [
      'an unknown zone',
      'database_id: a, name: x, interval_hours: 1, timezone: x',
      /^schedules\[0\]\.timezone: /,
    ],
    [
      'no days of retention',
      'database_id: a, name: x, interval_hours: 1, retention_days: 0',
      /^schedules\[0\]\.retention_days: /,
    ],
  ])('refuses a schedule with %s', (_name, fields, fault) => {
    expect(faultsOfFile(`schedules: [{${fields}}]`)).toEqual(
      expect.arrayContaining([expect.stringMatching(fault)]),
    );
  });
});
