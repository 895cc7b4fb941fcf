// The columns of a result: their names and types stand in the Content-Type of the answer, as the
// server's Arrow schema.

import type { Row } from './json-lines.ts';

export type ColumnKind = 'number' | 'time' | 'text';

export interface Column {
  readonly name: string;
  /** As the server calls it: "Int64", "Timestamp". */
  readonly type: string;
  readonly kind: ColumnKind;
}

const NUMBERS = /^(?:U?Int\d+|Float\d+|Decimal\d+)$/;
const TIMES = /^(?:Timestamp|Date\d+)$/;

/** Undefined when the answer does not say. */
export function maybeColumnsOf(contentType: string): Column[] | undefined {
  const encoded = /;\s*arrow-schema=([^;]*)/.exec(contentType)?.[1];
  if (encoded === undefined) return undefined;
  try {
    const schema = JSON.parse(decodeURIComponent(encoded)) as ArrowSchema;
    return schema.fields.map(({ name, data_type: dataType }) => {
      const type = typeof dataType === 'string' ? dataType : (Object.keys(dataType)[0] ?? '');
      return { name, type, kind: kindOf(type) };
    });
  } catch {
    return undefined;
  }
}

/** From the rows themselves. */
export function guessColumns(rows: readonly Row[]): Column[] {
  const [first] = rows;
  return Object.keys(first ?? {}).map((name) => {
    const values = rows.map((row) => row[name]).filter((value) => value !== null);
    const isNumber = values.length > 0 && values.every((value) => typeof value === 'number');
    return { name, type: '', kind: isNumber ? 'number' : 'text' };
  });
}

interface ArrowSchema {
  readonly fields: readonly {
    readonly name: string;
    readonly data_type: string | Readonly<Record<string, unknown>>;
  }[];
}

function kindOf(type: string): ColumnKind {
  if (NUMBERS.test(type)) return 'number';
  return TIMES.test(type) ? 'time' : 'text';
}
