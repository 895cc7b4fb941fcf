// The command line of a bench.

import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { parsePositive } from '@skein/testkit';

export interface BenchArguments {
  readonly rounds: number;
  /** File to write the results to. */
  readonly json: string | undefined;
}

export interface DiskBenchArguments extends BenchArguments {
  /** A folder on the disk that is measured; what is made there is removed. */
  readonly folder: string;
  /** Of the large database. */
  readonly sizeBytes: number;
}

/** `--rounds N --json FILE`. */
export function parseBenchArguments(argv: readonly string[], rounds: number): BenchArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: { rounds: { type: 'string', default: String(rounds) }, json: { type: 'string' } },
  });
  return { rounds: parsePositive('rounds', values.rounds), json: values.json };
}

/** `--rounds N --json FILE --folder DIR --size-mb N`. */
export function parseDiskBenchArguments(
  argv: readonly string[],
  defaults: { readonly rounds: number; readonly sizeMb: number },
): DiskBenchArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      rounds: { type: 'string', default: String(defaults.rounds) },
      json: { type: 'string' },
      folder: { type: 'string', default: tmpdir() },
      'size-mb': { type: 'string', default: String(defaults.sizeMb) },
    },
  });
  return {
    rounds: parsePositive('rounds', values.rounds),
    json: values.json,
    folder: resolve(values.folder),
    sizeBytes: parsePositive('size-mb', values['size-mb']) * 1_000_000,
  };
}
