// A random SQL workload from a seed: the same list of statements every time, with the same results
// on any one build of SQLite. Run on a plain file and through a mount it must leave equal bytes.
//
// It goes through what moves pages: schema changes, overflow chains, full text, nested savepoints,
// rollbacks of more than the page cache holds, VACUUM, auto_vacuum, journal modes switched back and
// forth.

import { SeededRandom } from '../seeded-random.ts';
import { changeRows, insertMany } from './rows.ts';
import { changeSearchIndex, CREATE_SEARCH_INDEX } from './search-index.ts';
import { changeSchema, createTable, EMPTY_SCHEMA, type Schema, type Statement } from './schema.ts';

export type JournalMode = 'delete' | 'truncate' | 'persist' | 'wal';

export const JOURNAL_MODES: readonly JournalMode[] = ['delete', 'truncate', 'persist', 'wal'];

export interface WorkloadOptions {
  readonly seed: number;
  /** About how many statements. Default 200. */
  readonly length?: number;
  /** Modes to begin in and to switch between. Default all. */
  readonly journalModes?: readonly JournalMode[];
  /** Default drawn from 512 to 65536. */
  readonly pageSize?: number;
}

export interface WorkloadStep extends Statement {
  /**
   * Whether no transaction is open afterwards: what was done so far is committed or rolled back.
   */
  readonly isSettled: boolean;
}

const SAVEPOINT_DEPTH_MAX = 4;

export function createWorkload(options: WorkloadOptions): WorkloadStep[] {
  const random = new SeededRandom(options.seed);
  const workload = new Workload(random, options.journalModes ?? JOURNAL_MODES);
  workload.begin(options.pageSize ?? 2 ** random.int(9, 16));
  for (let count = 0; count < (options.length ?? 200); count += 1) workload.step();
  workload.end();
  return workload.steps;
}

class Workload {
  readonly steps: WorkloadStep[] = [];
  readonly #random: SeededRandom;
  readonly #journalModes: readonly JournalMode[];
  #schema: Schema = EMPTY_SCHEMA;
  /** What to go back to: the schema before the transaction, then before each savepoint in it. */
  #earlier: Schema[] = [];

  constructor(random: SeededRandom, journalModes: readonly JournalMode[]) {
    this.#random = random;
    this.#journalModes = journalModes;
  }

  begin(pageSize: number): void {
    this.#run(`PRAGMA page_size = ${pageSize}`);
    this.#run(`PRAGMA auto_vacuum = ${this.#random.int(0, 2)}`);
    // Few pages, so that transactions spill into the file before they are committed.
    this.#run(`PRAGMA cache_size = ${this.#random.int(5, 50)}`);
    this.#run(`PRAGMA secure_delete = ${this.#random.int(0, 1)}`);
    this.#switchJournalMode();
    this.#add(CREATE_SEARCH_INDEX);
    for (let count = 0; count < 3; count += 1) {
      this.#changeSchema((random, schema) => createTable(random, schema));
    }
  }

  step(): void {
    const random = this.#random;
    const isOutside = this.#earlier.length === 0;
    const draw = random.fraction();
    if (draw < 0.25) this.#moveTransaction(isOutside);
    else if (draw < 0.4 && isOutside) this.#maintain();
    else if (draw < 0.45) this.#changeSchema(changeSchema);
    else if (draw < 0.55) this.#add(insertMany(random, this.#pickTable()));
    else if (draw < 0.6) this.#add(changeSearchIndex(random));
    else this.#add(changeRows(random, this.#pickTable()));
  }

  /** Settles what is open and has SQLite judge the result. */
  end(): void {
    if (this.#earlier.length > 0) this.#commit();
    this.#run('PRAGMA integrity_check');
  }

  #moveTransaction(isOutside: boolean): void {
    const random = this.#random;
    const depth = this.#earlier.length;
    if (isOutside) {
      this.#earlier.push(this.#schema);
      // A savepoint outside of a transaction begins one.
      const begins = ['BEGIN', 'BEGIN IMMEDIATE', 'BEGIN EXCLUSIVE', 'SAVEPOINT s1'];
      this.#run(random.pick(begins));
    } else if (depth <= SAVEPOINT_DEPTH_MAX && random.bool(0.4)) {
      this.#earlier.push(this.#schema);
      this.#run(`SAVEPOINT s${depth + 1}`);
    } else if (depth > 1 && random.bool(0.6)) {
      this.#endSavepoint(random.int(2, depth));
    } else if (random.bool(0.7)) {
      this.#commit();
    } else {
      this.#rewind(1);
      this.#earlier = [];
      this.#run('ROLLBACK');
    }
  }

  /**
   * Releases the savepoint of that depth and those in it, or goes back to it, which leaves it open.
   */
  #endSavepoint(depth: number): void {
    if (this.#random.bool()) {
      this.#earlier.length = depth - 1;
      this.#run(`RELEASE s${depth}`);
    } else {
      this.#rewind(depth);
      this.#earlier.length = depth;
      this.#run(`ROLLBACK TO s${depth}`);
    }
  }

  #commit(): void {
    this.#earlier = [];
    this.#run('COMMIT');
  }

  #rewind(depth: number): void {
    const { tables } = this.#earlier[depth - 1]!;
    this.#schema = { tables, nextNumber: this.#schema.nextNumber };
  }

  /** What is only done outside of transactions. */
  #maintain(): void {
    const random = this.#random;
    random.pick([
      () => this.#run('VACUUM'),
      () => this.#run(`PRAGMA incremental_vacuum(${random.int(1, 20)})`),
      () => this.#switchJournalMode(),
      () => this.#switchJournalMode(),
      () =>
        this.#run(
          `PRAGMA wal_checkpoint(${random.pick(['PASSIVE', 'FULL', 'RESTART', 'TRUNCATE'])})`,
        ),
      () => this.#run(`PRAGMA synchronous = ${random.int(0, 3)}`),
      () => this.#run(`PRAGMA cache_size = ${random.int(5, 50)}`),
      () => {
        // Takes effect with the VACUUM, which writes every page anew.
        this.#run(`PRAGMA auto_vacuum = ${random.int(0, 2)}`);
        this.#run('VACUUM');
      },
    ])();
  }

  #switchJournalMode(): void {
    this.#run(`PRAGMA journal_mode = ${this.#random.pick(this.#journalModes)}`);
  }

  #changeSchema(change: typeof changeSchema): void {
    const { sql, params, schema } = change(this.#random, this.#schema);
    this.#schema = schema;
    this.#add({ sql, params });
  }

  #pickTable(): Schema['tables'][number] {
    // There are always tables: those that the workload begins with cannot all be dropped.
    return this.#random.pick(this.#schema.tables);
  }

  #run(sql: string): void {
    this.#add({ sql, params: [] });
  }

  #add(statement: Statement): void {
    this.steps.push({ ...statement, isSettled: this.#earlier.length === 0 });
  }
}
