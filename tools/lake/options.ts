// The command line of `npm run lake`.

import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { parsePositive } from '@skein/testkit';

export interface LakeOptions {
  readonly readerCount: number;
  /** Of the ingress. */
  readonly port: number;
  /** Begins with an empty lake. */
  readonly isFresh: boolean;
  readonly folder: string;
  /** Weather of our own, whatever the network has. */
  readonly isOffline: boolean;
}

export const LAKE_HELP = `Usage: npm run lake -- [options]

Starts a lake on this machine: a writer, readers and an ingress before them. Serves until Ctrl-C.

  --readers <number>   how many, at most 9 (default: 3)
  --port <port>        of the ingress (default: 8080)
  --folder <folder>    where the nodes live (default: .lake)
  --fresh              begin with an empty lake
  --offline            weather that is made up here, whatever the network has
`;

/** Each reader is two processes, of which one has a DuckDB in it. */
const READER_COUNT_MAX = 9;
const PORT_MAX = 65_535;

/** Throws RangeError, or what parseArgs() throws. */
export function parseLakeOptions(argv: readonly string[], root: string): LakeOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      readers: { type: 'string', default: '3' },
      port: { type: 'string', default: '8080' },
      fresh: { type: 'boolean', default: false },
      folder: { type: 'string' },
      offline: { type: 'boolean', default: false },
    },
  });
  const readerCount = parsePositive('readers', values.readers);
  if (readerCount > READER_COUNT_MAX) {
    throw new RangeError(`Expected --readers to be at most ${READER_COUNT_MAX}: ${readerCount}`);
  }
  const port = parsePositive('port', values.port);
  if (port > PORT_MAX) throw new RangeError(`There is no port ${port}`);
  const folder = values.folder === undefined ? join(root, '.lake') : resolve(values.folder);
  return { readerCount, port, isFresh: values.fresh, folder, isOffline: values.offline };
}
