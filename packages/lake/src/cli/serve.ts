// skein lake serve: the lake answers until somebody wants it to end.

import { parseArgs } from 'node:util';

import { createNodeLog } from '@skein/host';

import { loadLakeConfig } from '../config/load-config.ts';
import { runLake } from '../run-lake.ts';
import type { Surroundings } from './surroundings.ts';

export const SERVE_HELP = `Usage: skein lake serve [options]

Answers SQL over HTTP, until it is told to end (Ctrl-C, SIGTERM).

  -c, --config <file>     lake.yml or seafowl.toml (default: the one that is here)
  -a, --address <where>   host:port, or a port of this machine (default: 127.0.0.1:8080)
      --read <whom>       any, off, or the SHA-256 of a password (default: any)
      --write <whom>      the same (default: off)
      --catalog <file>    the SQLite file of the catalog
      --node <folder>     data folder of the Skein node whose mount has the catalog
      --data <place>      folder or s3://bucket/prefix/ of the Parquet files
  -h, --help

Everything else is in the configuration; each key can also be set in the environment, http.address
as SKEIN_LAKE_HTTP_ADDRESS.

Examples:
  skein lake serve --write any
  skein lake serve --config seafowl.toml
`;

/** Which key a flag stands for. */
const FLAGS: Readonly<Record<string, string>> = {
  address: 'http.address',
  read: 'http.read',
  write: 'http.write',
  catalog: 'catalog.path',
  node: 'catalog.node',
  data: 'data.path',
};

export async function serve(args: readonly string[], surroundings: Surroundings): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      config: { type: 'string', short: 'c' },
      address: { type: 'string', short: 'a' },
      read: { type: 'string' },
      write: { type: 'string' },
      catalog: { type: 'string' },
      node: { type: 'string' },
      data: { type: 'string' },
    },
  });
  const { config: file, ...given } = values;
  const flags = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [FLAGS[name]!, value] as const),
  );
  const { cwd, environment, stopped, confine } = surroundings;
  const config = loadLakeConfig({ cwd, environment, file, flags });
  const log = createNodeLog({ level: config.logLevel, format: config.logFormat });
  if (config.isConfined) await confine?.({ config, log, cwd, file });
  const stop = stopped();
  const lake = await runLake(config, log);
  await stop;
  log.info('The lake ends');
  await lake.close();
}
