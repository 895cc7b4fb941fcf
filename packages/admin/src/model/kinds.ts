// What a column is for people, guessed from its declared type and its name. A guess decides how a
// value is shown and asked for, never what may be stored: that is up to SQLite.

import type { Column } from '../database/schema.ts';

export type ColumnKind =
  | 'integer'
  | 'real'
  | 'number'
  | 'boolean'
  | 'date'
  /** A moment as text. */
  | 'datetime'
  /** A moment as seconds or milliseconds since 1970. */
  | 'epoch'
  /** A text of one line. */
  | 'line'
  | 'text'
  | 'json'
  | 'blob'
  /** Declared as nothing: each row has its own type. */
  | 'any';

const MOMENT_NAME = /(?:^|_)(?:at|on|date|time|datetime|timestamp)$|[a-z](?:At|On|Date|Time)$/;
const FLAG_NAME = /^(?:is|has|can)(?:_|[A-Z])/;
const LINE_NAME =
  /(?:^|_)(?:name|title|slug|email|url|label|status|kind|type|code|state|phone|id|path|host)$/i;
/** VARCHAR(255) and shorter is a line; what is longer was meant to be longer. */
const LINE_LENGTH_MAX = 255;

export function kindOf(column: Column): ColumnKind {
  const type = column.declaredType.toUpperCase();
  if (type.includes('BOOL')) return 'boolean';
  if (type.includes('JSON')) return 'json';
  if (/DATETIME|TIMESTAMP/.test(type)) return 'datetime';
  if (type.includes('DATE')) return 'date';
  switch (column.affinity) {
    case 'INTEGER':
      if (FLAG_NAME.test(column.name)) return 'boolean';
      return MOMENT_NAME.test(column.name) ? 'epoch' : 'integer';
    case 'REAL':
      return 'real';
    case 'NUMERIC':
      return 'number';
    case 'BLOB':
      return type.includes('BLOB') ? 'blob' : 'any';
    case 'TEXT':
      return column.keyPlace > 0 ? 'line' : textKind(column.name, type);
  }
}

function textKind(name: string, type: string): ColumnKind {
  if (MOMENT_NAME.test(name)) return 'datetime';
  const length = /\((\d+)\)/.exec(type)?.[1];
  if (length !== undefined && Number(length) <= LINE_LENGTH_MAX) return 'line';
  return LINE_NAME.test(name) ? 'line' : 'text';
}

export function isMoment(kind: ColumnKind): boolean {
  return kind === 'date' || kind === 'datetime' || kind === 'epoch';
}

/** "node_name" and "nodeName" as "Node name". */
export function humanName(name: string): string {
  const words = name
    .replaceAll(/([a-z\d])([A-Z])/g, '$1 $2')
    .replaceAll(/[_\s]+/g, ' ')
    .trim();
  if (words === '') return name;
  return words[0]!.toUpperCase() + words.slice(1);
}
