// One DuckDB with the lake attached, locked before any client's statement reaches it.
//
// A session has one role for all its life: when the node's role changes, the engine opens another
// one and lets this one run dry. What is set here cannot be changed later: external access is off
// but for the folders of the lake, and the configuration is locked.

import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';

import { HELPER_CATALOG } from '../sql/rewrite.ts';
import { LAKE_CATALOG } from '../sql/targets.ts';
import { quoteText } from '../sql/token-cursor.ts';
import {
  createSecretStatement,
  createTokenStatement,
  isObjectPath,
  parseObjectPath,
} from '../store/object-location.ts';
import { LakeError } from './errors.ts';
import { FUNCTIONS_SCHEMA } from './functions/stored-functions.ts';
import { helperStatements } from './helper-schema.ts';
import type { EngineConfig, LakeRole } from './ports.ts';

/** Seafowl's default schema comes first; stock DuckDB's is looked into too. */
const SEARCH_PATH = `${LAKE_CATALOG}.public,${LAKE_CATALOG}.main,${HELPER_CATALOG}.main`;

export interface Session {
  readonly role: LakeRole;
  readonly instance: DuckDBInstance;
  /** With the search path of clients. */
  connect(): Promise<DuckDBConnection>;
  close(): void;
}

/** Throws LAKE_CATALOG while there is no catalog that this node could open. */
export async function openSession(config: EngineConfig, role: LakeRole): Promise<Session> {
  const helperFolder = join(config.scratchFolder, 'engine');
  await mkdir(helperFolder, { recursive: true });
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: config.memoryLimit ?? '2GB',
    temp_directory: join(helperFolder, 'spill'),
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_persistent_secrets: 'false',
    ...(config.threads === undefined ? {} : { threads: String(config.threads) }),
  });
  try {
    const connection = await instance.connect();
    for (const statement of setupStatements(config, role, helperFolder)) {
      await connection.run(statement);
    }
    connection.closeSync();
  } catch (cause) {
    instance.closeSync();
    throw new LakeError('unavailable', 'LAKE_CATALOG', explainSetup(cause, role), { cause });
  }
  return {
    role,
    instance,
    async connect() {
      const connection = await instance.connect();
      await connection.run(`SET search_path = '${SEARCH_PATH}'`);
      return connection;
    },
    close() {
      instance.closeSync();
    },
  };
}

function setupStatements(config: EngineConfig, role: LakeRole, helperFolder: string): string[] {
  const { extensions } = config;
  const helper = quoteText(join(helperFolder, `helper-${randomUUID()}.duckdb`));
  const path = lakePath(config, role);
  return [
    `SET GLOBAL TimeZone = 'UTC'`,
    `LOAD ${quoteText(extensions.ducklake)}`,
    `LOAD ${quoteText(extensions.sqliteScanner)}`,
    // With several threads each scan of the catalog has a connection of its own, and with it a
    // state of its own: while inlined rows were flushed, a reader missed them here and there.
    `SET GLOBAL sqlite_disable_multithreaded_scans = true`,
    ...(extensions.httpfs === undefined ? [] : [`LOAD ${quoteText(extensions.httpfs)}`]),
    // A reader with a gateway has no use for the keys: what it does not have it cannot lose.
    ...(config.s3 === undefined || !isObjectPath(path)
      ? []
      : [createSecretStatement(config.s3, parseObjectPath(config.dataPath))]),
    ...(role === 'reader' && config.readToken !== undefined
      ? [createTokenStatement(path, config.readToken)]
      : []),
    attachStatement(config, role, path),
    ...(role === 'writer' ? writerStatements(config) : []),
    `ATTACH ':memory:' AS staging`,
    `ATTACH ${helper} AS ${HELPER_CATALOG}`,
    ...helperStatements(),
    `DETACH ${HELPER_CATALOG}`,
    `ATTACH ${helper} AS ${HELPER_CATALOG} (READ_ONLY)`,
    `SET allowed_directories = [${allowedFolders(config, path).map(quoteText).join(', ')}]`,
    `SET enable_external_access = false`,
    `SET lock_configuration = true`,
  ];
}

/** DuckLake joins paths as texts: each ends with a slash. */
export function lakePath(config: EngineConfig, role: LakeRole): string {
  const path = role === 'reader' ? (config.readDataPath ?? config.dataPath) : config.dataPath;
  return path.endsWith('/') ? path : `${path}/`;
}

function allowedFolders(config: EngineConfig, path: string): string[] {
  const folders = [path, `${config.scratchFolder}/`];
  if (config.exportFolder !== undefined) folders.push(`${config.exportFolder}/`);
  return folders;
}

function attachStatement(config: EngineConfig, role: LakeRole, path: string): string {
  const options = [`DATA_PATH ${quoteText(path)}`, 'OVERRIDE_DATA_PATH true'];
  // In a rollback journal readers and the writer would block each other.
  if (role === 'writer') options.push(`META_JOURNAL_MODE 'WAL'`);
  else options.push('READ_ONLY');
  const name = quoteText(`ducklake:sqlite:${config.catalogPath}`);
  return `ATTACH ${name} AS ${LAKE_CATALOG} (${options.join(', ')})`;
}

/**
 * Inlining is off but where inlining.ts turns it on: the extension loses quotes in inlined structs.
 */
function writerStatements(config: EngineConfig): string[] {
  const option = (name: string, value: string): string =>
    `CALL ${LAKE_CATALOG}.set_option('${name}', ${value})`;
  return [
    `CREATE SCHEMA IF NOT EXISTS ${LAKE_CATALOG}.public`,
    `CREATE SCHEMA IF NOT EXISTS ${LAKE_CATALOG}.${FUNCTIONS_SCHEMA}`,
    `CREATE TABLE IF NOT EXISTS ${LAKE_CATALOG}.${FUNCTIONS_SCHEMA}.functions
      (name VARCHAR, definition VARCHAR)`,
    option('data_inlining_row_limit', '0'),
    option('parquet_compression', `'zstd'`),
    option('target_file_size', `'${Math.max(1, config.maintenance.targetFileBytes)}B'`),
  ];
}

function explainSetup(cause: unknown, role: LakeRole): string {
  const text = cause instanceof Error ? cause.message.split('\n')[0]! : String(cause);
  // A failing CREATE SECRET would repeat the statement.
  const safe = /secret/i.test(text) ? 'the object store was refused' : text;
  return `Cannot open the catalog as ${role}: ${safe}`;
}
