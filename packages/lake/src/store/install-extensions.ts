// A program: DuckDB's INSTALL of the extensions that are named, into a folder.
//
//   install-extensions FOLDER NAME…
//
// Its exit code tells whether it worked, stderr why not.

import { writeSync } from 'node:fs';

import { DuckDBInstance } from '@duckdb/node-api';

import { quoteText } from './extension-files.ts';

const STDERR = 2;

const [folder, ...names] = process.argv.slice(2);
try {
  const instance = await DuckDBInstance.create(':memory:', { extension_directory: folder! });
  const connection = await instance.connect();
  for (const name of names) await connection.run(`INSTALL ${quoteText(name)}`);
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error);
  writeSync(STDERR, `${reason.split('\n', 1)[0]}\n`);
  process.exitCode = 1;
}
