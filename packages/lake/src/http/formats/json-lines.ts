// Results as JSON lines: an object a row, its keys in the order of SELECT, each line with its end.
// No rows are no bytes.

import { ByteWriter } from './byte-writer.ts';
import { jsonWriter, objectWriter } from './json-values.ts';
import { columnOf } from './raw-vector.ts';
import { NOTHING, type ResultFormat } from './result-format.ts';

const LINE_END = 0x0a;

export const JSON_LINES: ResultFormat = {
  name: 'json',
  contentType: 'application/json',
  begin: (columns) => {
    const names = uniqueNames(columns.map(({ name }) => name));
    const out = new ByteWriter();
    return {
      head: () => NOTHING,
      rows: (chunk) => {
        const writers = columns.map(({ type }, index) =>
          jsonWriter(columnOf(chunk.chunk, index, type), out),
        );
        const writeRow = objectWriter(names, writers, out);
        const { rowCount } = chunk;
        for (let row = 0; row < rowCount; row++) {
          writeRow(row);
          out.byte(LINE_END);
        }
        return out.take();
      },
      end: () => NOTHING,
      failure: (code, message) =>
        Buffer.from(`${JSON.stringify({ skein_error: { code, message } })}\n`),
    };
  },
};

/** A key that comes twice would hide the first: the later ones are numbered, `a`, `a:1`. */
export function uniqueNames(names: readonly string[]): string[] {
  const seen = new Set(names);
  const given = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let count = 1; given.has(unique); count++) {
      const next = `${name}:${count}`;
      if (!seen.has(next)) unique = next;
    }
    given.add(unique);
    return unique;
  });
}
