// Extensions of DuckDB as files: where they are in a folder, and whether DuckDB takes them.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { DuckDBInstance, version } from '@duckdb/node-api';

export type ExtensionName = 'ducklake' | 'sqlite_scanner' | 'httpfs';

/** Extensions belong to one version of DuckDB on one platform. */
export interface DuckDbBuild {
  /** As its folders are called: "v1.5.5". */
  readonly version: string;
  /** "linux_amd64". */
  readonly platform: string;
}

export async function duckDbBuild(): Promise<DuckDbBuild> {
  const platform = await withDuckDb(async (connection) => {
    const reader = await connection.runAndReadAll('PRAGMA platform');
    return String(reader.getRows()[0]![0]);
  });
  return { version: version(), platform };
}

export function fileNameOf(name: ExtensionName): string {
  return `${name}.duckdb_extension`;
}

/** In the folder itself, as DuckDB arranges its own, or as the Python packages are unpacked. */
export function maybeFindIn(
  folder: string,
  name: ExtensionName,
  { version: build, platform }: DuckDbBuild,
): string | undefined {
  const fileName = fileNameOf(name);
  const places = [
    join(folder, fileName),
    join(folder, build, platform, fileName),
    join(folder, `duckdb_extension_${name}`, 'extensions', build, fileName),
  ];
  return places.find((path) => existsSync(path));
}

/** What DuckDB has against it; undefined when it has the right version and signature. */
export async function whyNotLoadable(path: string): Promise<string | undefined> {
  try {
    await withDuckDb((connection) => connection.run(`LOAD ${quoteText(path)}`));
    return undefined;
  } catch (error) {
    return error instanceof Error ? firstLine(error.message) : String(error);
  }
}

export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

type Connection = Awaited<ReturnType<DuckDBInstance['connect']>>;

/** An instance of its own, in memory, with DuckDB's defaults: unsigned extensions are off. */
async function withDuckDb<T>(use: (connection: Connection) => Promise<T>): Promise<T> {
  const instance = await DuckDBInstance.create(':memory:');
  try {
    const connection = await instance.connect();
    try {
      return await use(connection);
    } finally {
      connection.closeSync();
    }
  } finally {
    instance.closeSync();
  }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!;
}
