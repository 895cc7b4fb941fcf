// Which format goes by which name. Arrow is loaded when it is first asked for: that takes a fifth
// of a second, which most servers never need.

import { CSV } from './csv.ts';
import { JSON_LINES } from './json-lines.ts';
import type { FormatName, ResultFormat } from './result-format.ts';

export async function resultFormat(name: Exclude<FormatName, 'parquet'>): Promise<ResultFormat> {
  switch (name) {
    case 'json':
      return JSON_LINES;
    case 'csv':
      return CSV;
    case 'arrow':
      return (await import('./arrow.ts')).ARROW_STREAM;
  }
}
