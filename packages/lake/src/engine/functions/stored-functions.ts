// WASM functions, kept in a table of the lake, so that they are the catalog's: replicated, and part
// of the transaction that makes them.
//
// Each has a macro in the lake under its own name, which calls a function that is named by the hash
// of its definition and is registered with DuckDB. DuckDB cannot forget functions; a name that is a
// hash never has to change. The names resolve as every macro of the lake does.

import { createHash } from 'node:crypto';

import type { DuckDBConnection } from '@duckdb/node-api';

import {
  type FunctionDefinition,
  type FunctionDetails,
  parseDetails,
} from '../../sql/function-definition.ts';
import { LAKE_CATALOG } from '../../sql/targets.ts';
import { quoteName } from '../../sql/token-cursor.ts';
import { LakeError } from '../errors.ts';
import { queryTexts } from '../query-texts.ts';
import { registerWasmFunction } from './wasm-function.ts';
import type { WasmHost } from './wasm-host.ts';

/** No client may write this name (check-text.ts). */
export const FUNCTIONS_SCHEMA = 'skein_functions';
const TABLE = `${LAKE_CATALOG}.${FUNCTIONS_SCHEMA}.functions`;

export class StoredFunctions {
  readonly #host: WasmHost;
  /** Has no transaction: what DuckDB is told in one, it forgets when that is rolled back. */
  readonly #registrar: DuckDBConnection;
  readonly #registered = new Set<string>();
  /** Names whose answer may be another each time, of the version of the schema below. */
  #volatileNames = new Set<string>();
  #schemaVersion: bigint | undefined;

  constructor(host: WasmHost, registrar: DuckDBConnection) {
    this.#host = host;
    this.#registrar = registrar;
  }

  /** Of functions that DuckDB keeps; transactions that began before do not see the last ones. */
  get registeredCount(): number {
    return this.#registered.size;
  }

  get volatileNames(): ReadonlySet<string> {
    return this.#volatileNames;
  }

  /** Makes all functions of this version known to DuckDB. Malformed ones are left out. */
  async load(connection: DuckDBConnection, schemaVersion: bigint): Promise<void> {
    if (this.#schemaVersion === schemaVersion) return;
    const volatileNames = new Set<string>();
    const rows = await queryTexts(connection, `SELECT name, definition FROM ${TABLE}`);
    for (const [name, text] of rows) {
      const details = maybeDetails(name!, text!);
      if (details === undefined) continue;
      await this.#register(details);
      if (details.volatility === 'volatile') volatileNames.add(name!);
    }
    this.#volatileNames = volatileNames;
    this.#schemaVersion = schemaVersion;
  }

  /** Within the transaction of the connection. */
  async create(connection: DuckDBConnection, definition: FunctionDefinition): Promise<void> {
    const { name, isReplace, details } = definition;
    const exists = await this.#exists(connection, name);
    if (exists && !isReplace) {
      throw new LakeError('plan', 'LAKE_FUNCTION', `Function "${name}" already exists`);
    }
    const internal = await this.#registerWithin(connection, details);
    await connection.run(`DELETE FROM ${TABLE} WHERE name = $1`, [name]);
    await connection.run(`INSERT INTO ${TABLE} VALUES ($1, $2)`, [name, JSON.stringify(details)]);
    const names = details.input_types.map((_type, index) => `a${index + 1}`).join(', ');
    await connection.run(
      `CREATE OR REPLACE MACRO ${LAKE_CATALOG}.public.${quoteName(name)}(${names})
       AS ${internal}(${names})`,
    );
  }

  /** False if it is none of ours: then it is a macro of DuckDB's kind. */
  async tryDrop(connection: DuckDBConnection, name: string): Promise<boolean> {
    if (!(await this.#exists(connection, name))) return false;
    await connection.run(`DELETE FROM ${TABLE} WHERE name = $1`, [name]);
    await connection.run(`DROP MACRO ${LAKE_CATALOG}.public.${quoteName(name)}`);
    return true;
  }

  async #exists(connection: DuckDBConnection, name: string): Promise<boolean> {
    const sql = `SELECT 1 FROM ${TABLE} WHERE name = $1`;
    return (await queryTexts(connection, sql, [name])).length > 0;
  }

  /** For good. */
  async #register(details: FunctionDetails): Promise<void> {
    const name = internalName(details);
    if (this.#registered.has(name)) return;
    await this.#registerWithin(this.#registrar, details);
    this.#registered.add(name);
  }

  /** For as long as the connection's transaction, and after it if that commits. */
  async #registerWithin(connection: DuckDBConnection, details: FunctionDetails): Promise<string> {
    const name = internalName(details);
    await this.#host.add(name, details);
    registerWasmFunction(connection, { name, details, host: this.#host });
    return name;
  }
}

/** The name under which DuckDB has it. */
function internalName(details: FunctionDetails): string {
  const hash = createHash('sha256').update(JSON.stringify(details)).digest('hex');
  return `__wasm_${hash.slice(0, 32)}`;
}

function maybeDetails(name: string, text: string): FunctionDetails | undefined {
  try {
    return parseDetails(name, text);
  } catch (error) {
    if (error instanceof LakeError) return undefined;
    throw error;
  }
}
