// Results as a Parquet file. It is written by a DuckDB of its own, in memory and to a scratch file:
// the format has its directory at the end, so nothing can be sent before all is there.

import { rm } from 'node:fs/promises';

import { DuckDBInstance } from '@duckdb/node-api';

import type { Execution } from '../../engine/ports.ts';
import { uniqueNames } from './json-lines.ts';

export const PARQUET_CONTENT_TYPE = 'application/vnd.apache.parquet';

/** More than this is written to the scratch folder meanwhile. */
const MEMORY_LIMIT = '256MB';

/** Writes all rows to `path`, a new file. Throws LakeError of the query. */
export async function writeParquet(
  execution: Execution,
  path: string,
  scratchFolder: string,
): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: MEMORY_LIMIT,
    threads: '1',
    temp_directory: scratchFolder,
  });
  const connection = await instance.connect();
  try {
    const names = uniqueNames(execution.columns.map(({ name }) => name));
    const columns = execution.columns.map(({ type }, i) => `${quoted(names[i]!)} ${String(type)}`);
    await connection.run(`CREATE TABLE result (${columns.join(', ')})`);
    const appender = await connection.createAppender('result');
    for await (const chunk of execution.chunks()) appender.appendDataChunk(chunk);
    appender.closeSync();
    await connection.run(
      `COPY result TO '${path.replaceAll("'", "''")}' (FORMAT parquet, COMPRESSION zstd)`,
    );
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
