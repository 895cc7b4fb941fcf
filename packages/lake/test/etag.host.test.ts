// An ETag is of one lake: numbers of snapshots begin anew in the next.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { pathOf } from './conformance/target.ts';
import { PlainEngine } from './plain-engine.ts';
import { createRealEngine } from './real-engine.ts';
import { startTestServer } from './test-server.ts';

test('a lake that is made anew has other ETags than the one before', async (t) => {
  const etags: (string | undefined)[] = [];
  for (const value of [1, 2]) {
    const server = await startTestServer(t, await createRealEngine(t));
    await server.query(`CREATE TABLE t AS SELECT ${value} AS x`);
    const answer = await server.send(pathOf('SELECT * FROM t'));
    assert.deepEqual(answer.rows, [{ x: value }]);
    etags.push(answer.headers.etag);
  }
  assert.notEqual(etags[0], undefined);
  assert.notEqual(etags[0], etags[1]);
});

test('a plan for another schema than that of the answer promises caches nothing', async (t) => {
  const engine = await PlainEngine.create();
  const plan = engine.plan.bind(engine);
  engine.plan = async (sql) => {
    const made = await plan(sql);
    // Somebody replaces a view at this moment.
    engine.schemaVersion += 1n;
    return made;
  };
  const server = await startTestServer(t, engine);
  const { status, headers } = await server.send('/q/SELECT%201');
  assert.equal(status, 200);
  assert.equal(headers['cache-control'], 'no-store');
  assert.equal(headers.etag, undefined);
});
