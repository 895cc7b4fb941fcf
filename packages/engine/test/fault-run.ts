// Runs a scenario again and again, and lets each operation of the disk fail once: no space, or an
// input/output error before, midway, or after it was done.
//
// Whoever is told that his transaction failed must find the database as it was, and so must every
// reader. Then either the next transaction works, or the node takes no more and says so. A start
// afterwards finds what was acknowledged, even if the power goes out again.

import assert from 'node:assert/strict';

import { DiskError } from '@skein/host';
import { SqliteFormatError } from '@skein/sqlite-file';
import { type Failure, type Operation, SeededRandom, SimDisk } from '@skein/testkit';

import { EngineError } from '../src/errors.ts';
import { ShmFile } from '../src/files/shm-file.ts';
import { checkChecksums, readState } from './inspect.ts';
import { commitRollback, rollBackHotJournal } from './rollback-client.ts';
import { changedPages, equalPages, type Pages } from './sample-database.ts';
import { SimNode } from './sim-node.ts';
import { SqliteClient } from './sqlite-client.ts';
import { equalStates, type NodeState, type Timeline } from './timeline.ts';
import { WalClient } from './wal-client.ts';
import { createWorld, samplePoints, type Scenario, type World } from './world.ts';

const POINTS_MAX = 60;

const FAILING_KINDS: ReadonlySet<Operation['kind']> = new Set<Operation['kind']>([
  'open',
  'read',
  'remove',
  'rename',
  'sync',
  'sync-directory',
  'truncate',
  'write',
]);

interface FaultCase {
  readonly scenario: string;
  readonly seed: number;
  readonly failure: Failure;
}

/** Throws an error that says how to replay the fault after which something was wrong. */
export function runFaults(scenario: Scenario, seed: number): void {
  const replayed = process.env['SKEIN_SIM_CASE'];
  if (replayed !== undefined) {
    const wanted = parseCase(replayed);
    if (wanted.seed === seed && wanted.scenario === scenario.name) runCase(scenario, wanted);
    return;
  }
  const random = new SeededRandom(seed);
  for (const { n, kind } of samplePoints(random, faultPoints(scenario, seed), POINTS_MAX)) {
    const error = random.pick(['EIO', 'ENOSPC']);
    const when = kind === 'open' ? 'before' : random.pick(['before', 'midway', 'after'] as const);
    const fault = { scenario: scenario.name, seed, failure: { n, error, when } };
    try {
      runCase(scenario, fault);
    } catch (cause) {
      const { message } = cause as Error;
      throw new Error(`${scenario.name}: ${message}\n  replay: ${replayCommand(fault)}`, { cause });
    }
  }
}

interface FaultPoint {
  readonly n: number;
  readonly kind: Operation['kind'];
}

/** The operations that can fail, from when the node has started. */
function faultPoints(scenario: Scenario, seed: number): FaultPoint[] {
  const world = createWorld(scenario, seed, new SimDisk({ seed }));
  const { operations } = world.node.disk;
  const started = operations.length;
  scenario.act(world.actor);
  return operations.flatMap(({ kind, op }, index) =>
    // Clients reach the wal-index as memory, where nothing fails.
    index >= started && FAILING_KINDS.has(kind) && !op.startsWith('shm.')
      ? [{ n: index + 1, kind }]
      : [],
  );
}

function runCase(scenario: Scenario, { seed, failure }: FaultCase): void {
  const disk = new SimDisk({ seed });
  const world = createWorld(scenario, seed, disk);
  disk.failAt({ ...failure, n: failure.n - disk.operations.length });
  const error = catchConditions(() => scenario.act(world.actor));
  disk.clearFaults();
  const { kind } = disk.operations[failure.n - 1]!;
  const hint = error === undefined ? 'no action failed' : error.message;
  try {
    const doubtful = checkAfterFault(world, error);
    // After a failed sync of a folder the simulated disk keeps no change of names there, ever.
    checkRestart(scenario, world, { doubtful, keepsNames: kind !== 'sync-directory' });
  } catch (cause) {
    throw new Error(`${(cause as Error).message} (${hint})`, { cause });
  }
}

/** Returns where the transaction led of which nobody can know what became of it. */
function checkAfterFault(
  { node, actor, timeline }: World,
  error: Error | undefined,
): NodeState | undefined {
  node.rest();
  const isReadOnly = node.engine.log.failure !== undefined;
  const doubtful = isReadOnly || isEndOfJournal(error) ? actor.doubtful : undefined;
  const shown = readAsClients(node, [...timeline.last.keys(), ...(doubtful?.keys() ?? [])]);
  checkOneOf(shown, timeline.last, doubtful, 'Readers see');
  if (!isReadOnly && doubtful !== undefined && equalStates(shown, doubtful)) {
    timeline.restore(doubtful);
  }

  if (isReadOnly) {
    assert(
      node.log.entries.some(({ level }) => level === 'error'),
      'A failed sync is not reported',
    );
    for (const name of timeline.last.keys()) checkRefused(node, name);
  } else if (!isBroken(node)) {
    for (const name of timeline.last.keys()) commitNext(node, timeline, name);
  }
  node.close();
  assert.deepEqual(node.disk.openFiles(), [], 'Files are left open');
  return doubtful;
}

/** The next start finds it all, and has made it durable: the power may go out at once. */
function checkRestart(
  scenario: Scenario,
  { node, timeline }: World,
  { doubtful, keepsNames }: { doubtful: NodeState | undefined; keepsNames: boolean },
): void {
  const second = new SimNode({ seed: 2, disk: node.disk, ...scenario.engine });
  const found = readState(second);
  checkOneOf(found, timeline.last, doubtful, 'After a restart there is');
  checkChecksums(second);
  if (!keepsNames) return;
  const random = new SeededRandom(timeline.states.length);
  const third = second.reopen(node.disk.powerCut(random, 'lose-all'), { ...scenario.engine });
  assert(equalStates(readState(third), found), 'A power cut after the restart takes something');
  const name = [...found.keys()][0];
  if (name === undefined) return;
  const client = new SqliteClient(third, name);
  const next = changedPages(random, found.get(name)!);
  commitRollback(client, next, { end: 'delete' });
  assert(equalPages(client.pages(), next), 'The first transaction after the restart is not there');
}

/** What SELECT would show on every database, to a connection that is opened now. */
function readAsClients(node: SimNode, names: readonly string[]): NodeState {
  const shown = new Map<string, Pages>();
  for (const name of names) {
    if (node.engine.store.find(name) === undefined) continue;
    const client = new SqliteClient(node, name);
    rollBackHotJournal(client);
    const pages = isWal(node, name) ? walClient(client).pages() : client.pages();
    if (pages.length > 0) shown.set(name, pages);
    client.close();
  }
  return shown;
}

function commitNext(node: SimNode, timeline: Timeline, name: string): void {
  const client = new SqliteClient(node, name);
  const next = changedPages(new SeededRandom(7), timeline.last.get(name)!);
  timeline.begin({ [name]: next });
  if (isWal(node, name)) {
    const wal = walClient(client);
    // The client that failed may have left a transaction that the wal-index does not know.
    const shm = node.engine.store.find(`${name}-shm`);
    assert(shm instanceof ShmFile, 'A WAL has its index');
    node.answer(() => shm.completeIndex());
    wal.commit(next, { syncs: true });
    assert(equalPages(wal.pages(), next), `${name}: the next transaction is not there`);
  } else {
    commitRollback(client, next, { end: 'delete' });
    assert(equalPages(client.pages(), next), `${name}: the next transaction is not there`);
  }
  timeline.promise();
  client.close();
}

function checkRefused(node: SimNode, name: string): void {
  const client = new SqliteClient(node, name);
  const next = changedPages(new SeededRandom(7), client.pages());
  const write = (): void =>
    isWal(node, name)
      ? walClient(client).commit(next, { syncs: true })
      : commitRollback(client, next, { end: 'delete' });
  assert.throws(write, (error: unknown) => error instanceof EngineError, `${name} takes writes`);
}

/**
 * With SQLite too, a journal whose end was reported to have failed may have ended all the same:
 * what counts is whether somebody finds it hot.
 */
function isEndOfJournal(error: Error | undefined): boolean {
  return error instanceof DiskError && error.op.startsWith('journal.');
}

function isWal(node: SimNode, name: string): boolean {
  return node.engine.store.find(`${name}-wal`) !== undefined;
}

function walClient(client: SqliteClient): WalClient {
  return new WalClient(client, new SeededRandom(9));
}

/** A database whose file could not take what is committed: read only until the next start. */
function isBroken(node: SimNode): boolean {
  return [...node.engine.store.databases].some(({ refusal }) => refusal !== undefined);
}

function checkOneOf(
  found: NodeState,
  last: NodeState,
  doubtful: NodeState | undefined,
  what: string,
): void {
  const isLast = equalStates(found, last);
  const isDoubtful = doubtful !== undefined && equalStates(found, doubtful);
  assert(isLast || isDoubtful, `${what} something else than the last state`);
}

/** The error, if it is one that a client has to reckon with; a bug is thrown on. */
function catchConditions(act: () => void): Error | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    const isCondition =
      error instanceof DiskError ||
      error instanceof EngineError ||
      error instanceof SqliteFormatError;
    if (isCondition) return error;
    throw error;
  }
}

function replayCommand({ scenario, seed, failure }: FaultCase): string {
  const { n, error, when } = failure;
  const name = [scenario, seed, n, when, error].join(':');
  return `SKEIN_SIM_CASE='${name}' npm test -- sim engine/test/fault`;
}

function parseCase(text: string): FaultCase {
  const [scenario, seed, n, when, error] = text.split(':');
  const failure = { n: Number(n), when: when as 'before', error: error! };
  return { scenario: scenario!, seed: Number(seed), failure };
}
