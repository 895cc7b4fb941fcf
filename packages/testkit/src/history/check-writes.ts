// Writes: what was acknowledged is there once, what failed is not, and the order of the rows is one
// in which the writes can have happened.

import {
  type CommitPosition,
  describeOperation,
  type Violation,
  type WriteOperation,
} from './history.ts';

/** `final` as in History. */
export function checkWrites(
  writes: readonly WriteOperation[],
  final: readonly number[],
): Violation[] {
  const byValue = new Map(writes.map((write) => [write.value, write]));
  return [
    ...checkPresence(writes, final, byValue),
    ...checkRealTime(final, byValue),
    ...checkPositions(final, byValue),
  ];
}

function checkPresence(
  writes: readonly WriteOperation[],
  final: readonly number[],
  byValue: ReadonlyMap<number, WriteOperation>,
): Violation[] {
  const violations: Violation[] = [];
  const present = new Set<number>();
  for (const [index, value] of final.entries()) {
    const write = byValue.get(value);
    if (present.has(value)) {
      const what = write === undefined ? `${value}` : describeOperation(write);
      violations.push({ kind: 'executed-twice', message: `Row ${index + 1} is another ${what}` });
    } else if (write === undefined) {
      const message = `Row ${index + 1} has ${value}, which nobody wrote`;
      violations.push({ kind: 'phantom-write', message });
    } else if (write.outcome === 'failed') {
      const message = `Row ${index + 1} is there: ${describeOperation(write)}`;
      violations.push({ kind: 'failed-write-present', message });
    }
    present.add(value);
  }
  const lost = writes.filter(
    ({ outcome, value }) => outcome === 'acknowledged' && !present.has(value),
  );
  const toViolation = (write: WriteOperation): Violation => ({
    kind: 'lost-write',
    message: `Not there at the end: ${describeOperation(write)}`,
  });
  return [...violations, ...lost.map(toViolation)];
}

/** A write that ended before another began comes first. One of unknown outcome never ended. */
function checkRealTime(
  final: readonly number[],
  byValue: ReadonlyMap<number, WriteOperation>,
): Violation[] {
  const violations: Violation[] = [];
  let firstToEnd: WriteOperation | undefined;
  for (const value of final.toReversed()) {
    const write = byValue.get(value);
    if (write === undefined) continue;
    if (firstToEnd !== undefined && firstToEnd.endMs < write.startMs) {
      const [early, late] = [firstToEnd, write].map(describeOperation);
      const message = `A row before that of an earlier write: ${late} before ${early}`;
      violations.push({ kind: 'writes-out-of-order', message });
    }
    if (write.outcome !== 'acknowledged') continue;
    if (firstToEnd === undefined || write.endMs < firstToEnd.endMs) firstToEnd = write;
  }
  return violations;
}

/** Each commit has a position of its own, and they rise with the rows. */
function checkPositions(
  final: readonly number[],
  byValue: ReadonlyMap<number, WriteOperation>,
): Violation[] {
  const violations: Violation[] = [];
  let before: CommitPosition | undefined;
  for (const value of final) {
    const write = byValue.get(value);
    const position = write?.position;
    if (write === undefined || position === undefined) continue;
    if (before !== undefined && !isLater(position, before)) {
      const [first, second] = [before, position].map(formatPosition);
      const message = `${second} follows ${first}: ${describeOperation(write)}`;
      violations.push({ kind: 'positions-out-of-order', message });
    }
    before = position;
  }
  return violations;
}

function isLater(position: CommitPosition, other: CommitPosition): boolean {
  if (position.epoch < other.epoch) return false;
  return position.txid > other.txid;
}

function formatPosition({ epoch, txid }: CommitPosition): string {
  return `transaction ${txid} of epoch ${epoch}`;
}
