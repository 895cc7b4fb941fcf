// Confined to a folder, as the lake is, and with every check of SQL left out: what DuckDB can still
// read. `node confined-reader.ts FOLDER SQLITE FILE` prints one line a try.

import { DuckDBInstance } from '@duckdb/node-api';

import { isConfined, tryConfine } from '../src/confine.ts';

const [folder, extension, ...tries] = process.argv.slice(2);

if (!isConfined(process.env)) {
  tryConfine({ readPaths: [extension!], writePaths: [folder!] }, process.env);
  process.stdout.write('the kernel cannot\n');
} else {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`LOAD '${extension!}'`);
  for (const sql of tries) {
    const outcome = await connection.run(sql).then(
      () => 'read',
      () => 'refused',
    );
    process.stdout.write(`${outcome} ${sql}\n`);
  }
}
