// Reads: each shows a state that the primary had and that could be known by then, and none shows an
// earlier one than it has to.

import { Floor } from './floor.ts';
import {
  describeOperation,
  type Operation,
  type ReadOperation,
  type SessionPromise,
  type Violation,
  type ViolationKind,
  type WriteOperation,
} from './history.ts';
import { digestsOf } from './state.ts';

export interface Operations {
  readonly reads: readonly ReadOperation[];
  readonly writes: readonly WriteOperation[];
}

/** `final` and `sessionPromise` as in History. */
export function checkReads(
  { reads, writes }: Operations,
  final: readonly number[],
  sessionPromise: SessionPromise,
): Violation[] {
  const digests = digestsOf(final);
  // Of a read that shows no state of the primary nothing more can be said.
  const states = reads.filter(({ seen }) => seen.digest === digests[seen.count]);
  const fixing = withoutRepeats(states);
  return [
    ...reads.flatMap((read) => checkState(read, digests)),
    ...checkSnapshots(reads),
    ...checkFuture(states, writes, final),
    ...checkOrder({ reads: fixing, writes }, final).filter(
      ({ kind }) => kind !== 'session-went-back' || sessionPromise === 'monotonic-reads',
    ),
  ];
}

function checkState(read: ReadOperation, digests: readonly number[]): Violation[] {
  const { count, digest, tally } = read.seen;
  if (count !== tally) {
    const message = `The transaction that counts ${tally} is not whole: ${describeOperation(read)}`;
    return [{ kind: 'torn-state', message }];
  }
  if (digests[count] === digest) return [];
  return [{ kind: 'no-such-state', message: `Not the first rows: ${describeOperation(read)}` }];
}

/** The first read of each read transaction: it fixes what the others show. */
function withoutRepeats(reads: readonly ReadOperation[]): ReadOperation[] {
  const known = new Set<string>();
  return reads
    .toSorted((a, b) => a.startMs - b.startMs)
    .filter(({ transaction }) => {
      if (transaction === undefined) return true;
      if (known.has(transaction)) return false;
      known.add(transaction);
      return true;
    });
}

function checkSnapshots(reads: readonly ReadOperation[]): Violation[] {
  const within = reads.filter(({ transaction }) => transaction !== undefined);
  return [...Map.groupBy(within, ({ transaction }) => transaction!).values()].flatMap((group) => {
    const [first, ...others] = group.toSorted((a, b) => a.startMs - b.startMs);
    return others
      .filter(({ seen }) => seen.digest !== first!.seen.digest || seen.count !== first!.seen.count)
      .map((read): Violation => {
        const message = `First a ${describeOperation(first!)}, then a ${describeOperation(read)}`;
        return { kind: 'snapshot-moved', message };
      });
  });
}

function checkFuture(
  reads: readonly ReadOperation[],
  writes: readonly WriteOperation[],
  final: readonly number[],
): Violation[] {
  const byValue = new Map(writes.map((write) => [write.value, write]));
  /** Of the first 0, 1, 2 … rows, the one whose write began last. */
  const latest: (WriteOperation | undefined)[] = [undefined];
  for (const value of final) {
    const [before, write] = [latest.at(-1), byValue.get(value)];
    latest.push((write?.startMs ?? 0) > (before?.startMs ?? 0) ? write : before);
  }
  return reads.flatMap((read): Violation[] => {
    const write = latest[read.seen.count];
    if (write === undefined || write.startMs <= read.endMs) return [];
    const message = `${describeOperation(read)}, with the later ${describeOperation(write)}`;
    return [{ kind: 'read-of-the-future', message }];
  });
}

interface Promised {
  readonly kind: ViolationKind;
  readonly reads: readonly ReadOperation[];
  readonly floor: Floor<Operation>;
}

function checkOrder(operations: Operations, final: readonly number[]): Violation[] {
  return promisesOf(operations, final).flatMap(({ kind, reads, floor }) =>
    reads.flatMap((read): Violation[] => {
      const known = floor.maybeBefore(read.startMs);
      if (known === undefined || known.rank <= read.seen.count) return [];
      const message = `${describeOperation(read)}, after a ${describeOperation(known.by)}`;
      return [{ kind, message }];
    }),
  );
}

function promisesOf({ reads, writes }: Operations, final: readonly number[]): Promised[] {
  const rankOf = new Map(final.map((value, index) => [value, index + 1]));
  const acknowledged = writes.filter(
    ({ outcome, value }) => outcome === 'acknowledged' && rankOf.has(value),
  );
  const seen = (some: readonly ReadOperation[]): Floor<Operation> =>
    new Floor(some.map((read) => ({ ms: read.endMs, rank: read.seen.count, by: read })));
  const made = (some: readonly WriteOperation[]): Floor<Operation> =>
    new Floor(
      some.map((write) => ({ ms: write.endMs, rank: rankOf.get(write.value)!, by: write })),
    );
  const perNode = Map.groupBy(reads, ({ node }) => node);
  const perSession = groupBySession(reads);
  const writesPerSession = groupBySession(acknowledged);
  return [
    ...[...perNode.values()].map((some): Promised => ({
      kind: 'node-went-back',
      reads: some,
      floor: seen(some),
    })),
    ...[...perSession.values()].map((some): Promised => ({
      kind: 'session-went-back',
      reads: some,
      floor: seen(some),
    })),
    ...[...perSession].map(([session, some]): Promised => ({
      kind: 'own-write-unseen',
      reads: some,
      floor: made(writesPerSession.get(session) ?? []),
    })),
    {
      kind: 'stale-primary',
      reads: reads.filter(({ isPrimary }) => isPrimary),
      floor: made(acknowledged),
    },
  ];
}

function groupBySession<T extends Operation>(operations: readonly T[]): Map<string, T[]> {
  const within = operations.filter(({ session }) => session !== undefined);
  return Map.groupBy(within, ({ session }) => session!);
}
