// Views and macros of the lake that give another answer each time, by the words of their
// definitions; those that use such ones are volatile too.

import type { DuckDBConnection } from '@duckdb/node-api';

import { VOLATILE_FUNCTIONS } from '../sql/names.ts';
import { LAKE_CATALOG } from '../sql/targets.ts';
import { isName, tokenize } from '../sql/tokens.ts';
import { queryTexts } from './query-texts.ts';

export class VolatileNames {
  #names: ReadonlySet<string> = new Set();
  #schemaVersion: bigint | undefined;

  /** Of a name as written, `schema.name` or `name`. */
  has(name: string): boolean {
    return this.#names.has(name.slice(name.lastIndexOf('.') + 1));
  }

  /** `seeds`: names that are known to be volatile. */
  async load(
    connection: DuckDBConnection,
    schemaVersion: bigint,
    seeds: ReadonlySet<string>,
  ): Promise<void> {
    if (this.#schemaVersion === schemaVersion) return;
    const rows = await queryTexts(
      connection,
      `SELECT view_name, sql FROM duckdb_views()
       WHERE database_name = '${LAKE_CATALOG}' AND NOT internal
       UNION ALL
       SELECT function_name, macro_definition FROM duckdb_functions()
       WHERE database_name = '${LAKE_CATALOG}' AND macro_definition IS NOT NULL`,
    );
    const definitions = rows.map(([name, sql]) => ({
      name: name!.toLowerCase(),
      words: wordsOf(sql!),
    }));
    this.#names = volatileAmong(definitions, seeds);
    this.#schemaVersion = schemaVersion;
  }
}

interface Definition {
  readonly name: string;
  readonly words: ReadonlySet<string>;
}

function wordsOf(sql: string): Set<string> {
  return new Set(
    tokenize(sql)
      .filter(isName)
      .map(({ value }) => value.toLowerCase()),
  );
}

/** Grows until nothing more is found: definitions name each other. */
export function volatileAmong(
  definitions: readonly Definition[],
  seeds: ReadonlySet<string>,
): Set<string> {
  const found = new Set<string>(seeds);
  for (;;) {
    const before = found.size;
    for (const { name, words } of definitions) {
      if ([...words].some((word) => VOLATILE_FUNCTIONS.has(word) || found.has(word))) {
        found.add(name);
      }
    }
    if (found.size === before) return found;
  }
}
