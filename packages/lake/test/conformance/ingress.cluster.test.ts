// The conformance list through the ingress: writes go to the writer, reads to two readers. All have
// one catalog file; that it is replicated is for the tests of whole nodes.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';

import { freePorts, RecordingLog, tempDir, waitUntil } from '@skein/testkit';

import type { EngineConfig, LakeEngine } from '../../src/engine/ports.ts';
import { alwaysWriter } from '../../src/engine/role-sources.ts';
import { startIngress } from '../../src/ingress/start-ingress.ts';
import { readOnly } from '../../src/node-role.ts';
import { createRealEngine } from '../real-engine.ts';
import { startTestServer, type TestServer } from '../test-server.ts';
import { checkCachedReads } from './cached-reads.ts';
import { checkExternalTables, type FileServer, startFileServer } from './external-tables.ts';
import { checkRows } from './rows.ts';
import { checkStatements } from './statements.ts';
import { conforms, pathOf, Target } from './target.ts';
import { checkUploads } from './uploads.ts';

/** What is written is on every reader by then, or the answer to the write comes without. */
const HOLD_MS = 10_000;
const SOON_MS = 20_000;

type Ends = (() => void | Promise<void>)[];

/** Ends in the order in which things began, the last first. */
class Scope {
  readonly #ends: Ends = [];

  after(end: () => void | Promise<void>): void {
    this.#ends.push(end);
  }

  async end(): Promise<void> {
    for (const end of this.#ends.splice(0).toReversed()) await end();
  }
}

/** Nodes of one lake in one folder. */
class Nodes {
  readonly #scope: Scope;
  readonly #shared: Pick<EngineConfig, 'catalogPath' | 'dataPath' | 'externalTables'>;

  constructor(scope: Scope) {
    const folder = tempDir(scope);
    mkdirSync(join(folder, 'data'));
    this.#scope = scope;
    this.#shared = {
      catalogPath: join(folder, 'catalog.db'),
      dataPath: join(folder, 'data/'),
      externalTables: {
        allowHosts: ['127.0.0.1'],
        allowPrivate: true,
        maxBytes: 1_000_000,
        timeoutMs: 60_000,
        allowFolders: [],
      },
    };
  }

  writer(scope: Scope = this.#scope, port = 0): Promise<TestServer> {
    return this.#start(scope, { role: alwaysWriter() }, port);
  }

  reader(scope: Scope = this.#scope, port = 0): Promise<TestServer> {
    return this.#start(scope, { role: readOnly(alwaysWriter()) }, port);
  }

  async #start(scope: Scope, role: Partial<EngineConfig>, port: number): Promise<TestServer> {
    const scratchFolder = tempDir(scope);
    const changes = { ...this.#shared, ...role, scratchFolder };
    const engine: LakeEngine = await createRealEngine(scope, changes);
    return startTestServer(scope, engine, { scratchFolder, port });
  }
}

async function ingressTo(
  scope: Scope,
  writers: readonly string[],
  readers: readonly string[],
): Promise<string> {
  const ingress = await startIngress({
    host: '127.0.0.1',
    port: 0,
    writers,
    readers,
    holdMs: HOLD_MS,
    limits: { probeEveryMs: 50, closeMs: 500 },
    log: new RecordingLog(),
  });
  scope.after(() => ingress.close());
  return `http://127.0.0.1:${ingress.address.port}`;
}

describe('Conformance, through the ingress:', () => {
  const scope = new Scope();
  let target: Target;
  let files: FileServer;
  let writer: TestServer;
  let readers: readonly TestServer[];

  before(async () => {
    const nodes = new Nodes(scope);
    writer = await nodes.writer();
    readers = [await nodes.reader(), await nodes.reader()];
    const url = await ingressTo(
      scope,
      [writer.url],
      readers.map((reader) => reader.url),
    );
    target = new Target(url, `${url}/w`);
    files = await startFileServer();
    scope.after(() => files.close());
  });

  after(() => scope.end());

  checkRows(() => target);
  checkCachedReads(() => target);
  checkUploads(() => target);
  checkStatements(() => target);
  checkExternalTables(
    () => target,
    () => files,
  );

  conforms(
    'R-01',
    () => target,
    async (lake) => {
      const answer = await lake.query(`CREATE TABLE ${lake.name()} (x INT)`);
      assert.deepEqual([answer.status, answer.text], [403, 'WRITE_FORBIDDEN']);
    },
  );
  conforms(
    'R-02',
    () => target,
    async (lake) => {
      const table = lake.name();
      await writer.query(`CREATE TABLE ${table} (x INT)`);
      for (let i = 1; i <= 5; i++) {
        // Not through the ingress, which would wait for the readers.
        const { headers } = await writer.query(`INSERT INTO ${table} VALUES (${i})`);
        const position = { 'X-Skein-Position': String(headers['x-skein-position']) };
        for (const reader of readers) {
          const { rows } = await reader.query(`SELECT count(*) AS n FROM ${table}`, position);
          assert.deepEqual(rows, [{ n: i }]);
        }
      }
    },
  );
  conforms(
    'R-03',
    () => target,
    async (lake) => {
      const table = lake.name();
      await writer.query(`CREATE TABLE ${table} (x INT)`);
      for (const reader of readers) {
        const sees = async (): Promise<boolean> =>
          (await reader.query(`SELECT * FROM ${table}`)).status === 200;
        await waitUntil('the reader sees the table', sees, SOON_MS);
      }
    },
  );
  conforms(
    'R-06',
    () => target,
    async (lake) => {
      const table = lake.name();
      const made = await lake.sendWrite('/q/', {
        method: 'POST',
        body: JSON.stringify({ query: `CREATE TABLE ${table} AS SELECT 1 AS x` }),
      });
      assert.equal(made.status, 200, made.text);
      assert.deepEqual(await lake.rows(`SELECT * FROM ${table}`), [{ x: 1 }]);
    },
  );
  conforms(
    'R-07',
    () => target,
    async (lake) => {
      const table = lake.name();
      const { headers } = await lake.run(`CREATE TABLE ${table} AS SELECT 1 AS x`);
      const position = { 'X-Skein-Position': String(headers['x-skein-position']) };
      const path = pathOf(`SELECT * FROM ${table}`);
      const answers = [
        await writer.send(path, { headers: position }),
        await readers[0]!.send(path, { headers: position }),
        await readers[1]!.send(path, { headers: position }),
      ];
      const etags = new Set(answers.map((answer) => answer.headers.etag));
      assert.equal(etags.size, 1);
      assert.ok(!etags.has(undefined));
    },
  );
  conforms(
    'R-08',
    () => target,
    async (lake) => {
      const table = lake.name();
      await lake.run(`CREATE EXTERNAL TABLE ${table} (a INT, b TEXT) STORED AS CSV
      LOCATION '${files.url}/headless.csv'`);
      assert.equal((await writer.query(`SELECT * FROM staging.${table}`)).status, 200);
      for (const reader of readers) {
        assert.equal((await reader.query(`SELECT * FROM staging.${table}`)).status, 400);
      }
    },
  );
});

describe('Conformance, nodes that come and go:', () => {
  const none = (): Target => new Target('', '');

  conforms('R-04', none, async () => {
    const scope = new Scope();
    const ofWriter = new Scope();
    try {
      const nodes = new Nodes(scope);
      const writer = await nodes.writer(ofWriter);
      await writer.query('CREATE TABLE t AS SELECT 1 AS x');
      const reader = await nodes.reader();
      const url = await ingressTo(scope, [writer.url], [reader.url]);
      const lake = new Target(url, `${url}/w`);
      assert.deepEqual(await lake.rows('SELECT * FROM t'), [{ x: 1 }]);
      await ofWriter.end();
      assert.deepEqual(await lake.rows('SELECT * FROM t WHERE x = 1'), [{ x: 1 }]);
      assert.ok((await lake.write('INSERT INTO t VALUES (2)')).status >= 500);
    } finally {
      await ofWriter.end();
      await scope.end();
    }
  });

  conforms('R-09', none, async () => {
    const scope = new Scope();
    try {
      const nodes = new Nodes(scope);
      const reader = await nodes.reader();
      assert.equal((await reader.send('/readyz')).status, 503);
      assert.equal((await reader.send('/healthz')).status, 200);
      const writer = await nodes.writer();
      await writer.query('CREATE TABLE t AS SELECT 1 AS x');
      const sees = async (): Promise<boolean> =>
        (await reader.query('SELECT * FROM t')).status === 200;
      await waitUntil('the reader answers', sees, SOON_MS);
      assert.equal((await reader.send('/readyz')).status, 200);
    } finally {
      await scope.end();
    }
  });

  conforms('R-05', none, async () => {
    const scope = new Scope();
    try {
      const nodes = new Nodes(scope);
      const writer = await nodes.writer();
      await writer.query('CREATE TABLE t AS SELECT 1 AS x');
      const first = new Scope();
      await nodes.reader(first);
      await first.end();
      await writer.query('INSERT INTO t VALUES (2)');
      // Its scratch folder is another, and empty.
      const again = await nodes.reader();
      assert.deepEqual((await again.query('SELECT count(*) AS n FROM t')).rows, [{ n: 2 }]);
    } finally {
      await scope.end();
    }
  });

  conforms('R-10', none, async () => {
    const scope = new Scope();
    try {
      const nodes = new Nodes(scope);
      const writer = await nodes.writer();
      await writer.query('CREATE TABLE t AS SELECT 1 AS x');
      const ports = await freePorts(3);
      const [first, ...others] = ports as [number, number, number];
      await nodes.reader(scope, first);
      const urls = ports.map((port) => `http://127.0.0.1:${port}`);
      const url = await ingressTo(scope, [writer.url], urls);
      const lake = new Target(url, `${url}/w`);
      const over = new AbortController();
      const statuses = new Set<number>();
      const load = Array.from({ length: 4 }, async () => {
        while (!over.signal.aborted) statuses.add((await lake.query('SELECT * FROM t')).status);
      });
      const added = [await nodes.reader(scope, others[0]), await nodes.reader(scope, others[1])];
      for (const reader of added) {
        const isAsked = async (): Promise<boolean> => {
          const { text } = await reader.send('/metrics');
          return /route="query",status="200"\} [1-9]/.test(text);
        };
        await waitUntil('the new reader is asked', isAsked, SOON_MS);
      }
      over.abort();
      await Promise.all(load);
      assert.deepEqual([...statuses], [200]);
    } finally {
      await scope.end();
    }
  });
});
