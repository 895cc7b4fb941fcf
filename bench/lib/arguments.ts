// The command line of a bench.

import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

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
  return { rounds: positive('rounds', values.rounds), json: values.json };
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
    rounds: positive('rounds', values.rounds),
    json: values.json,
    folder: resolve(values.folder),
    sizeBytes: positive('size-mb', values['size-mb']) * 1_000_000,
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new RangeError(`Expected --${name} to be a number from 1 on: ${text}`);
}
