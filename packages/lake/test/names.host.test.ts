// Every function that DuckDB and the extensions of this version have is either computing, or named
// in a list of names.ts. A new version brings new names: they fail here until somebody has read
// what they do.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { DuckDBInstance } from '@duckdb/node-api';
import { RecordingLog } from '@skein/testkit';

import {
  SCALAR_FUNCTIONS_DENIED,
  TABLE_FUNCTIONS_ALLOWED,
  TABLE_FUNCTIONS_DENIED,
} from '../src/sql/names.ts';
import { provideExtensions } from '../src/store/extensions.ts';
import { EXTENSIONS_CACHE } from './real-engine.ts';

/** Of DuckDB 1.5.5 with ducklake and sqlite_scanner: 763 names, all of which were looked at. */
const COMPUTING_FUNCTIONS_SHA256 =
  'aaff0987745129266f3d8b778323323544ff7f467030d0c33cf59f84f6ae0aab';

test('table functions are allowed or denied by name, scalar ones are known', async () => {
  const extensions = await provideExtensions({
    cacheFolder: EXTENSIONS_CACHE,
    needsHttpfs: false,
    log: new RecordingLog(),
  });
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`LOAD '${extensions.ducklake}'`);
  await connection.run(`LOAD '${extensions.sqliteScanner}'`);
  const read = async (types: string): Promise<string[]> => {
    const result = await connection.run(
      `SELECT DISTINCT function_name FROM duckdb_functions()
       WHERE function_type IN (${types}) ORDER BY 1`,
    );
    return (await result.getRowsJson()).map(([name]) => name as string);
  };
  const tables = await read(`'table', 'table_macro'`);
  const unknown = tables.filter(
    (name) => !TABLE_FUNCTIONS_ALLOWED.has(name) && !TABLE_FUNCTIONS_DENIED.has(name),
  );
  assert.deepEqual(unknown, []);
  const both = tables.filter(
    (name) => TABLE_FUNCTIONS_ALLOWED.has(name) && TABLE_FUNCTIONS_DENIED.has(name),
  );
  assert.deepEqual(both, []);
  const computing = (await read(`'scalar', 'aggregate', 'macro'`)).filter(
    (name) => !SCALAR_FUNCTIONS_DENIED.has(name) && !/^[^a-z_]|^__/.test(name),
  );
  const hash = createHash('sha256').update(computing.join('\n')).digest('hex');
  assert.equal(hash, COMPUTING_FUNCTIONS_SHA256, computing.join(' '));
});
