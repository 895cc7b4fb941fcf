// WASM functions on a reader: DuckDB forgets what it is told of in a transaction that ends, and
// reads are in transactions that do.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { onTestEnd, tempDir } from '@skein/testkit';

import type { LakeEngine } from '../src/engine/ports.ts';
import { alwaysWriter } from '../src/engine/role-sources.ts';
import { readOnly } from '../src/node-role.ts';
import { createRealEngine } from './real-engine.ts';

/** (param i32 i32) (result i32): the sum. */
const ADD_WASM = 'AGFzbQEAAAABBwFgAn9/AX8DAgEABwcBA2FkZAAACgkBBwAgACABags=';

const definition = (name: string, entrypoint: string): string => {
  const types = { input_types: ['int', 'int'], return_type: 'int' };
  const details = { entrypoint, language: 'wasm', ...types, data: ADD_WASM };
  return `CREATE FUNCTION ${name} AS '${JSON.stringify(details)}'`;
};

async function run(engine: LakeEngine, sql: string): Promise<unknown[]> {
  const plan = await engine.plan(sql);
  const execution = await engine.execute(plan, { mayWrite: !plan.isReadOnly });
  const rows: unknown[] = [];
  for await (const chunk of execution.chunks()) rows.push(...chunk.getRows());
  await execution.close();
  return rows;
}

test('a reader knows functions that are made later, in every snapshot from then on', async (t) => {
  const folder = tempDir(t);
  mkdirSync(join(folder, 'data'));
  const shared = { catalogPath: join(folder, 'catalog.db'), dataPath: join(folder, 'data/') };
  const writer = await createRealEngine(t, shared);
  onTestEnd(t, () => writer.close());
  await run(writer, definition('early', 'add'));
  const role = readOnly(alwaysWriter());
  const reader = await createRealEngine(t, { ...shared, role });
  onTestEnd(t, () => reader.close());
  assert.deepEqual(await run(reader, 'SELECT early(1, 2)'), [[3]]);

  const plan = await writer.plan(definition('late', 'add'));
  const { position } = await writer.execute(plan, { mayWrite: true });
  await reader.waitFor(position, { timeoutMs: 30_000 });
  // Another snapshot, so another transaction than the one that first knew them.
  for (const name of ['early', 'late']) {
    assert.deepEqual(await run(reader, `SELECT ${name}(1, 2)`), [[3]]);
  }
  assert.deepEqual(await run(writer, 'SELECT late(1, 2)'), [[3]]);
});
