// Whether a pipeline cannot have written, as far as its texts tell. Asked only when its worker is
// gone and cannot be asked any more, so that a read is not called a write whose outcome is unknown.

import { parsePipeline } from '../protocol.ts';
import { outlineOf, statementsOf } from '../sql-text.ts';

/** What begins so only reads. WITH may write, and so may a COMMIT. */
const READING: ReadonlySet<string> = new Set(['SELECT', 'VALUES', 'EXPLAIN']);

export function onlyReads(body: Buffer): boolean {
  return parsePipeline(body.toString()).every((request) => {
    switch (request.type) {
      case 'execute':
        return isReading(request.statement.sql);
      case 'batch':
        return request.steps.every(({ statement }) => isReading(statement.sql));
      case 'sequence':
        return isReading(request.sql);
      case 'describe':
      case 'store_sql':
      case 'close_sql':
      case 'close':
      case 'get_autocommit':
        return true;
    }
  });
}

/** A text that was stored in another pipeline is not known here. */
function isReading(sql: string | undefined): boolean {
  if (sql === undefined) return false;
  return statementsOf(sql).every((each) => READING.has(outlineOf(each).words[0] ?? ''));
}
