// Results as an Arrow IPC stream, a record batch a chunk.
// https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format

import type { DuckDBDataChunk } from '@duckdb/node-api';
import {
  AsyncByteQueue,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
} from 'apache-arrow';

import type { ResultColumn } from '../../engine/ports.ts';
import { arrowData, arrowField } from './arrow-data.ts';
import { uniqueNames } from './json-lines.ts';
import { columnOf } from './raw-vector.ts';
import { NOTHING, type ResultFormat } from './result-format.ts';

export const ARROW_STREAM: ResultFormat = {
  name: 'arrow',
  contentType: 'application/vnd.apache.arrow.stream',
  begin: (columns) => {
    const names = uniqueNames(columns.map(({ name }) => name));
    const schema = new Schema(columns.map(({ type }, i) => arrowField(names[i]!, type)));
    const sink = new Gathered();
    const writer = new RecordBatchStreamWriter({ autoDestroy: false });
    return {
      head: () => {
        writer.reset(sink, schema);
        return sink.take();
      },
      rows: (chunk) => {
        writer.write(batchOf(schema, columns, chunk));
        return sink.take();
      },
      end: () => {
        writer.finish();
        return sink.take();
      },
      // A stream without its end is all the format has.
      failure: () => NOTHING,
    };
  },
};

function batchOf(
  schema: Schema,
  columns: readonly ResultColumn[],
  { chunk, rowCount }: DuckDBDataChunk,
): RecordBatch {
  const children = columns.map(({ type }, index) => arrowData(columnOf(chunk, index, type)));
  const type = new Struct(schema.fields);
  return new RecordBatch(schema, makeData({ type, length: rowCount, nullCount: 0, children }));
}

/** What Arrow's writer writes, for the taking. */
class Gathered extends AsyncByteQueue {
  #parts: Uint8Array[] = [];

  override write(part: Uint8Array): void {
    // The writer fills up with views of one small buffer that it uses again.
    if (part.byteLength > 0) this.#parts.push(part.slice());
  }

  take(): Uint8Array {
    const taken = Buffer.concat(this.#parts);
    this.#parts = [];
    return taken;
  }
}
