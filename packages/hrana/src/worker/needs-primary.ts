// Whether a pipeline that came to a replica is for the primary. Asked before any of it is executed,
// of SQLite itself: it prepares each statement against the schema of this node.
//
// Invariant: what is executed here only reads. A transaction that is left open, and was not begun
// for reading, may want to write later: it belongs to the primary from its beginning.

import type { SqlSource, StreamRequest } from '../protocol.ts';
import { outlineOf, statementsOf } from '../sql-text.ts';
import type { PreparedStatement } from './connection.ts';
import type { Stream } from './stream.ts';

export function needsPrimary(requests: readonly StreamRequest[], stream: Stream): boolean {
  // Begun for reading, and so read here to its end.
  if (stream.isReading && stream.connection.inTransaction) return false;
  const texts = textsOf(requests, stream);
  if (texts === undefined) return true;
  let depth = 0;
  for (const sql of texts) {
    const prepared = maybePrepare(stream, sql);
    if (prepared === undefined || !prepared.isReadonly) return true;
    if (prepared.changesSession && !isQuestion(sql)) return true;
    depth = depthAfter(prepared, depth);
  }
  return depth > 0;
}

/** How many transactions and savepoints are open. */
function depthAfter({ step }: PreparedStatement, depth: number): number {
  switch (step) {
    case 'begin':
      return depth + 1;
    case 'release':
      return Math.max(depth - 1, 0);
    case 'commit':
    case 'rollback':
      return 0;
    case 'begin-readonly':
    case 'none':
      return depth;
  }
}

/** All statements, in their order. Undefined: one of them stands for a text that is not stored. */
function textsOf(requests: readonly StreamRequest[], stream: Stream): string[] | undefined {
  const stored = new Map(stream.stored);
  const texts: (string | undefined)[] = [];
  const textOf = ({ sql, sqlId }: SqlSource): string | undefined => sql ?? stored.get(sqlId!);
  for (const request of requests) {
    switch (request.type) {
      case 'execute':
        texts.push(textOf(request.statement));
        break;
      case 'batch':
        texts.push(...request.steps.map(({ statement }) => textOf(statement)));
        break;
      case 'sequence':
        texts.push(...maybeSplit(textOf(request)));
        break;
      case 'store_sql':
        stored.set(request.sqlId, request.sql);
        break;
      case 'describe':
      case 'close_sql':
      case 'close':
      case 'get_autocommit':
    }
  }
  return texts.every((text) => text !== undefined) ? texts : undefined;
}

function maybeSplit(script: string | undefined): readonly (string | undefined)[] {
  return script === undefined ? [undefined] : statementsOf(script);
}

/** What does not fit the schema here may fit the primary's, which is newer. */
function maybePrepare({ connection }: Stream, sql: string): PreparedStatement | undefined {
  try {
    return connection.prepare(sql);
  } catch {
    return undefined;
  }
}

/** A PRAGMA that only asks. All others, and what is no PRAGMA, change the connection. */
function isQuestion(sql: string): boolean {
  const { words } = outlineOf(sql);
  if (words[0] !== 'PRAGMA') return false;
  return !/[=(]/.test(sql) || words.some((word) => QUESTIONS.has(word));
}

const QUESTIONS: ReadonlySet<string> = new Set([
  'TABLE_INFO',
  'TABLE_XINFO',
  'TABLE_LIST',
  'INDEX_LIST',
  'INDEX_INFO',
  'INDEX_XINFO',
  'FOREIGN_KEY_LIST',
  'FOREIGN_KEY_CHECK',
  'INTEGRITY_CHECK',
  'QUICK_CHECK',
]);
