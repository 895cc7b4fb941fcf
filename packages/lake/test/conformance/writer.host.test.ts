// The conformance list on a writer alone.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { tempDir } from '@skein/testkit';

import type { LakeEngine } from '../../src/engine/ports.ts';
import { createRealEngine } from '../real-engine.ts';
import { startTestServer, type TestServer } from '../test-server.ts';
import { checkCachedReads } from './cached-reads.ts';
import { checkExternalTables, type FileServer, startFileServer } from './external-tables.ts';
import { CONFORMANCE } from './list.ts';
import { checkRights } from './rights.ts';
import { checkRows } from './rows.ts';
import { checkStatements } from './statements.ts';
import { conforms, pathOf, Target } from './target.ts';
import { checkUploads, formOf } from './uploads.ts';

const LOOPBACK = {
  allowHosts: ['127.0.0.1'],
  allowPrivate: true,
  maxBytes: 1_000_000,
  timeoutMs: 60_000,
  allowFolders: [],
};

describe('Conformance, on a writer:', () => {
  const ends: (() => void | Promise<void>)[] = [];
  const suite = { after: (end: () => void | Promise<void>) => void ends.push(end) };
  let engine: LakeEngine;
  let scratchFolder: string;
  let target: Target;
  let server: TestServer;
  let files: FileServer;

  before(async () => {
    scratchFolder = tempDir(suite);
    engine = await createRealEngine(suite, { externalTables: LOOPBACK, scratchFolder });
    server = await startTestServer(suite, engine, { scratchFolder });
    target = new Target(server.url, server.url);
    files = await startFileServer();
    ends.push(() => files.close());
  });

  after(async () => {
    for (const end of ends.toReversed()) await end();
  });

  checkRows(() => target);
  checkCachedReads(() => target);
  checkUploads(() => target);
  checkStatements(() => target);
  checkExternalTables(
    () => target,
    () => files,
  );
  checkRights(
    () => target,
    (access) => startTestServer(suite, shared(engine), { access }),
  );

  conforms(
    'U-12',
    () => target,
    async () => {
      const limits = { uploadBytes: 1000 };
      const small = await startTestServer(suite, shared(engine), { limits, scratchFolder });
      const send = (bytes: number): ReturnType<TestServer['send']> =>
        small.send('/upload/public/large', {
          method: 'POST',
          headers: { 'Content-Type': 'multipart/form-data; boundary=----skein-test' },
          body: formOf([
            { name: 'data', fileName: 'rows.csv', content: `a\n${'1\n'.repeat(bytes / 2)}` },
          ]),
        });
      assert.equal((await send(2000)).status, 413);
      assert.equal((await send(4_000_000)).status, 413);
      assert.equal((await send(100)).status, 200);
    },
  );

  conforms(
    'X-01',
    () => target,
    async (lake) => {
      const answer = await lake.query(
        "SELECT CASE WHEN i < 190000 THEN i ELSE error('late') END AS x FROM range(200000) t(i)",
      );
      assert.equal(answer.status, 200);
      assert.equal(answer.isCut, true);
      assert.match(answer.text.trimEnd().split('\n').at(-1)!, /^\{"skein_error":\{"code":"LAKE_/);
    },
  );

  conforms(
    'X-02',
    () => target,
    async (lake) => {
      const leaving = new AbortController();
      const long = 'SELECT sum(a.i * b.i) FROM range(1000000) a(i), range(1000000) b(i)';
      // Eight of them would keep all connections for minutes.
      const asked = Array.from({ length: 8 }, () =>
        lake.get(pathOf(long), { signal: leaving.signal }).catch((error: Error) => error.name),
      );
      setTimeout(() => leaving.abort(), 200);
      assert.deepEqual(new Set(await Promise.all(asked)), new Set(['AbortError']));
      assert.deepEqual(await lake.rows('SELECT 1 AS x'), [{ x: 1 }]);
    },
  );

  conforms(
    'X-03',
    () => target,
    async (lake) => {
      const table = lake.name();
      await lake.run(`CREATE TABLE ${table} (x INT)`);
      const inserts = Array.from({ length: 16 }, (_, i) =>
        lake.write(`INSERT INTO ${table} VALUES (${i})`),
      );
      const answers = await Promise.all(inserts);
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
      assert.deepEqual(await lake.rows(`SELECT count(DISTINCT x) AS n FROM ${table}`), [{ n: 16 }]);
    },
  );
});

/** The engine is the suite's: none of its servers closes it but the first. */
function shared(engine: LakeEngine): LakeEngine {
  return new Proxy(engine, {
    get: (target, name) => {
      if (name === 'close') return async () => {};
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

test('each id of the conformance list is a test', () => {
  const root = join(dirname(import.meta.dirname), '..', '..', '..');
  const paths = globSync(['packages/lake/**/*.ts', 'tests/**/*.ts', 'examples/lake/**/*.ts'], {
    cwd: root,
    exclude: ['**/dist/**', '**/list.ts', '**/node_modules/**'],
  });
  const texts = paths.map((path) => readFileSync(join(root, path), 'utf8')).join('\n');
  const missing = Object.keys(CONFORMANCE).filter((id) => !texts.includes(`'${id}`));
  assert.deepEqual(missing, []);
});
