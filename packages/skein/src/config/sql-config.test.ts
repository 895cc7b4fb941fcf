import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { finishProxy } from './cluster-draft.ts';
import { readSkeinFile } from './skein-file.ts';
import { finishSql, type SqlDraft } from './sql-config.ts';
import { readEnvironment } from './setting-words.ts';
import { parseYaml } from './yaml-file.ts';

const TOKEN = '0123456789abcdef';

function read(text: string): SqlDraft | undefined {
  return readSkeinFile('skein.yml', parseYaml('skein.yml', text)).sql;
}

describe('The section sql', () => {
  test('is read with all its keys', () => {
    const sql = read(`sql:
  address: :8090
  advertise-url: https://node1.example.org
  token: ${TOKEN}
  database: app.db
  databases: [app.db, other.db]
  workers: 2
  statement-time: 5s
  stream-idle: 1m
  wait: 2s
  primary-wait: 0
`);
    const { config, problems } = finishSql(sql, undefined);
    assert.deepEqual(problems, []);
    assert.deepEqual(config, {
      address: { host: '', port: 8090 },
      advertiseUrl: 'https://node1.example.org/',
      token: TOKEN,
      database: 'app.db',
      databases: ['app.db', 'other.db'],
      workers: 2,
      statementMs: 5000,
      streamIdleMs: 60_000,
      waitMs: 2000,
      primaryWaitMs: 0,
    });
  });

  test('has one token, here or in a file, and keys that are known', () => {
    assert.throws(() => read(`sql:\n  token: ${TOKEN}\n  token-file: /t\n`), /token as well/);
    assert.throws(() => read('sql:\n  token: short\n'), /fewer than 16/);
    assert.throws(() => read('sql:\n  port: 1\n'), /there is no such key/);
    assert.throws(() => read('sql:\n  workers: 0\n'), /no whole number from 1/);
  });
});

describe('finishSql()', () => {
  test('asks for a token beyond this machine', () => {
    for (const host of ['', '0.0.0.0', '10.0.0.1', 'node1']) {
      const address = { host, port: 1 };
      const [problem] = finishSql({ address }, undefined).problems;
      assert.match(problem!.message, /anybody could read and change the databases/);
      assert.ok(finishSql({ address, token: TOKEN }, undefined).config);
    }
    for (const host of ['127.0.0.1', '::1', 'localhost']) {
      assert.ok(finishSql({ address: { host, port: 1 } }, undefined).config, host);
    }
  });

  test('is about nothing where no address is said', () => {
    assert.equal(finishSql(undefined, undefined).config, undefined);
    const { sql } = readEnvironment({ SKEIN_SQL_TOKEN: TOKEN });
    assert.equal(sql?.token, TOKEN);
    assert.deepEqual(finishSql(sql, undefined), { config: undefined, problems: [] });
    const [problem] = finishSql({ database: 'app.db' }, undefined).problems;
    assert.match(problem!.message, /where does the SQL server listen/);
  });

  test('takes the database of the proxy where none is said', () => {
    const address = { host: '127.0.0.1', port: 1 };
    const { config: proxy } = finishProxy(
      { address, target: { host: 'localhost', port: 2 }, database: 'app.db' },
      undefined,
    );
    assert.equal(finishSql({ address }, proxy).config?.database, 'app.db');
    assert.equal(finishSql({ address, database: 'b.db' }, proxy).config?.database, 'b.db');
  });
});
