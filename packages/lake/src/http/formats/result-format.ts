// What a result becomes on its way to the client, chunk by chunk. (Parquet is written to a file
// first: formats/parquet.ts.)

import type { DuckDBDataChunk } from '@duckdb/node-api';

import type { ResultColumn } from '../../engine/ports.ts';

export type FormatName = 'json' | 'csv' | 'arrow' | 'parquet';

export interface ResultFormat {
  readonly name: FormatName;
  /** Without parameters. */
  readonly contentType: string;
  /** Begins a result. */
  begin(columns: readonly ResultColumn[]): ResultEncoder;
}

export interface ResultEncoder {
  /** Before the first row. */
  head(): Uint8Array;
  /** The chunk is read before this returns. */
  rows(chunk: DuckDBDataChunk): Uint8Array;
  /** Behind the last row. */
  end(): Uint8Array;
  /** What tells a client that the rest is missing, where the format has room for that. */
  failure(code: string, message: string): Uint8Array;
}

export const NOTHING: Uint8Array = new Uint8Array(0);
