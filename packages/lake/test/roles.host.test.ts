// A node whose role changes, and readers that are there before anything else.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { tempDir, waitUntil } from '@skein/testkit';

import type { LakeRole, RoleSource } from '../src/engine/ports.ts';
import { alwaysWriter } from '../src/engine/role-sources.ts';
import { ask, rowsOf } from './ask.ts';
import { createRealEngine } from './real-engine.ts';

/** As a node of a cluster has it. */
class ChangingRole implements RoleSource {
  role: LakeRole;
  readonly #listeners = new Set<(role: LakeRole) => void>();

  constructor(role: LakeRole) {
    this.role = role;
  }

  onRole(listener: (role: LakeRole) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  become(role: LakeRole): void {
    this.role = role;
    for (const listener of this.#listeners) listener(role);
  }

  position(): undefined {
    return undefined;
  }

  waitForPosition(): Promise<void> {
    return Promise.resolve();
  }
}

function places(folder: string, name: string): { scratchFolder: string } {
  const scratchFolder = join(folder, name);
  mkdirSync(scratchFolder);
  return { scratchFolder };
}

test('a reader without a catalog says so, and finds it when a writer has made it', async (t) => {
  const folder = tempDir(t);
  mkdirSync(join(folder, 'data'));
  const lake = { catalogPath: join(folder, 'lake.db'), dataPath: `${join(folder, 'data')}/` };
  const readerRole = new ChangingRole('reader');
  const reader = await createRealEngine(t, {
    ...lake,
    ...places(folder, 'reader'),
    role: readerRole,
  });
  t.after(() => reader.close());
  await assert.rejects(rowsOf(reader, 'SELECT 1'), { kind: 'unavailable', code: 'LAKE_CATALOG' });

  const writer = await createRealEngine(t, { ...lake, ...places(folder, 'writer') });
  t.after(() => writer.close());
  const { position } = await ask(writer, 'CREATE TABLE t AS SELECT 1 AS a');
  const answers = async (): Promise<boolean> => (await rowsOf(reader, 'FROM t')).length === 1;
  await waitUntil('the reader has found the catalog', answers, 60_000);
  await reader.waitFor(position, { timeoutMs: 60_000 });

  await assert.rejects(ask(reader, 'INSERT INTO t VALUES (2)'), { kind: 'read-only' });
  const written = await ask(writer, 'INSERT INTO t VALUES (2)');
  await reader.waitFor(written.position, { timeoutMs: 60_000 });
  assert.deepEqual(await rowsOf(reader, 'SELECT sum(a) FROM t'), [[3]]);
  const dropped = await ask(writer, 'ALTER TABLE t ADD COLUMN b INT; CREATE VIEW v AS FROM t');
  await reader.waitFor(dropped.position, { timeoutMs: 60_000 });
  assert.deepEqual(await rowsOf(reader, 'SELECT count(b) FROM v'), [[0]]);
});

test('a node that becomes the writer writes at once, and one that was it no more', async (t) => {
  const folder = tempDir(t);
  mkdirSync(join(folder, 'data'));
  const lake = { catalogPath: join(folder, 'lake.db'), dataPath: `${join(folder, 'data')}/` };
  const first = await createRealEngine(t, {
    ...lake,
    ...places(folder, 'first'),
    role: alwaysWriter(),
  });
  await ask(first, 'CREATE TABLE t AS SELECT i AS a FROM range(100000) r(i)');
  await first.close();

  const role = new ChangingRole('reader');
  const engine = await createRealEngine(t, { ...lake, ...places(folder, 'second'), role });
  t.after(() => engine.close());
  const stream = await engine.execute(await engine.plan('SELECT a FROM t'), { mayWrite: false });
  role.become('writer');
  assert.equal(engine.role, 'writer');
  await ask(engine, 'INSERT INTO t VALUES (-1)');
  assert.deepEqual(await rowsOf(engine, 'SELECT min(a) FROM t'), [[-1]]);
  let rows = 0;
  for await (const chunk of stream.chunks()) rows += chunk.rowCount;
  assert.equal(rows, 100_000);
  role.become('reader');
  await assert.rejects(ask(engine, 'INSERT INTO t VALUES (-2)'), { kind: 'read-only' });
  assert.deepEqual(await rowsOf(engine, 'SELECT min(a) FROM t'), [[-1]]);
});
