// Whether a history can have happened on a cluster that keeps its promises (docs/guarantees.md):
//
// - every acknowledged write is there at the end, once, and in an order that real time allows;
// - each node shows states that the primary had, whole, in their order;
// - a session that carries its position sees its own writes, and, where that is promised, no
//   earlier state than before;
// - the primary itself shows at once what it has acknowledged.
//
// It finds what the operations show, no more: a fault that no reader looked at leaves no trace.

import { checkReads } from './check-reads.ts';
import { checkWrites } from './check-writes.ts';
import type { History, ReadOperation, Violation, WriteOperation } from './history.ts';

export function checkHistory(history: History): Violation[] {
  const { operations, final, sessionPromise = 'monotonic-reads' } = history;
  const reads = operations.filter((each): each is ReadOperation => each.kind === 'read');
  const writes = operations.filter((each): each is WriteOperation => each.kind === 'write');
  const values = new Set(writes.map(({ value }) => value));
  if (values.size !== writes.length) throw new RangeError('Two writes have the same value');
  return [...checkWrites(writes, final), ...checkReads({ reads, writes }, final, sessionPromise)];
}

/** How many violations a message lists: the first ones tell, and there may be thousands. */
const SHOWN_COUNT = 10;

/** Throws when there are violations, and lists them. */
export function assertHistory(history: History): void {
  const violations = checkHistory(history);
  if (violations.length === 0) return;
  const shown = violations.slice(0, SHOWN_COUNT).map(({ kind, message }) => `${kind}: ${message}`);
  const rest = violations.length - shown.length;
  const more = rest > 0 ? [`and ${rest} more`] : [];
  const count = `${violations.length} violations in ${history.operations.length} operations`;
  throw new Error([count, ...shown, ...more].join('\n'));
}
