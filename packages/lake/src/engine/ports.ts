// The engine as the rest of the lake sees it, and what it needs from them.
//
// One engine has one DuckDB, one catalog and one role at a time. It knows nothing of HTTP: a
// request is SQL text, an answer is a stream of DuckDB's chunks that the caller formats. Chunks are
// not copied: they are valid until the execution is closed.

import type { DuckDBDataChunk, DuckDBType } from '@duckdb/node-api';

export { LakeError, type LakeErrorCode, type LakeErrorKind } from './errors.ts';

export type LakeRole = 'writer' | 'reader';

export interface LakeEngine {
  readonly role: LakeRole;
  /** Parsed and classified, nothing executed. Throws LakeError. */
  plan(sql: string): Promise<RequestPlan>;
  /** All statements in one transaction; rows of the last one. Writes are queued. */
  execute(plan: RequestPlan, options: ExecuteOptions): Promise<Execution>;
  /** Loads a file on local disk into a table (created if absent), one transaction. */
  ingest(file: IngestFile, target: TableName): Promise<Execution>;
  /** Newest committed snapshot of the catalog that this node has, cheap. */
  snapshot(): Promise<Snapshot>;
  /** Waits until this node has it; LakeError POSITION_TIMEOUT. */
  waitFor(position: string, options: WaitOptions): Promise<void>;
  /** Schemas, tables, columns, versions: for completion and the console. */
  describeCatalog(): Promise<CatalogDescription>;
  /** What maintenance has to do now, done; only a writer has any. */
  maintain(): Promise<MaintenanceReport>;
  close(): Promise<void>;
}

export interface MaintenanceReport {
  readonly flushedTables: number;
  readonly mergedTables: number;
  readonly expiredSnapshots: number;
  readonly removedFiles: number;
}

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface RequestPlan {
  readonly sql: string;
  readonly statements: readonly PlannedStatement[];
  readonly isReadOnly: boolean;
  /** Whether the same snapshot always gives the same answer: it may be cached. */
  readonly isDeterministic: boolean;
  /** Of a read: the schema for which that is so; in a later one a view can be another. */
  readonly schemaVersion: bigint | undefined;
  /** Tables that it names, as `schema.table`; views and macros are not looked through. */
  readonly tables: readonly string[];
}

export interface PlannedStatement {
  readonly index: number;
  /** `SELECT`, `INSERT`, `CREATE EXTERNAL TABLE`, …: for people, metrics and logs. */
  readonly kind: string;
  /** As the client wrote it. */
  readonly sql: string;
  readonly isRead: boolean;
}

export interface ExecuteOptions {
  readonly parameters?: readonly unknown[] | Readonly<Record<string, unknown>> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  readonly mayWrite: boolean;
}

export interface Execution {
  readonly columns: readonly ResultColumn[];
  /** What it read, or what it made. */
  readonly snapshot: Snapshot;
  /** Opaque; for X-Skein-Position. */
  readonly position: string;
  readonly rowsChanged?: number;
  /** Once. An error of the query, also a late one, is thrown by it as a LakeError. */
  chunks(): AsyncIterable<DuckDBDataChunk>;
  /** Ends it wherever it is, and gives back its connection. May be called again. */
  close(): Promise<void>;
}

export interface ResultColumn {
  readonly name: string;
  readonly type: DuckDBType;
}

export interface Snapshot {
  readonly id: bigint;
  readonly schemaVersion: bigint;
  /** When, as the catalog says: of two lakes the first snapshots have the same numbers. */
  readonly madeAt: string;
}

export interface TableName {
  readonly schema: string;
  readonly table: string;
}

export interface IngestFile {
  readonly path: string;
  readonly format: 'csv' | 'parquet';
  readonly hasHeader?: boolean | undefined;
  /** Columns of a CSV file in arrow-rs' JSON form, as Seafowl's clients send it. */
  readonly schema?: unknown;
}

export interface CatalogDescription {
  readonly snapshot: Snapshot;
  readonly schemas: readonly SchemaDescription[];
}

export interface SchemaDescription {
  readonly name: string;
  readonly tables: readonly TableDescription[];
}

export interface TableDescription {
  readonly name: string;
  readonly kind: 'table' | 'view' | 'external';
  readonly columns: readonly ColumnDescription[];
  /** Snapshots that changed it and are still to be had, oldest first; none for views. */
  readonly versions: readonly TableVersion[];
}

export interface ColumnDescription {
  readonly name: string;
  readonly type: string;
  readonly isNullable: boolean;
}

export interface TableVersion {
  readonly snapshot: bigint;
  /** UTC, ISO 8601. */
  readonly time: string;
}

export interface EngineConfig {
  /** The catalog's file, absolute: on a Skein mount, or anywhere on a node of its own. */
  readonly catalogPath: string;
  /** Where Parquet files are: an absolute folder or `s3://bucket/prefix/`. */
  readonly dataPath: string;
  /** Where this node reads them from instead: a gateway's URL. Only readers use it. */
  readonly readDataPath?: string | undefined;
  /** What whoever reads there has to show, as a bearer token. */
  readonly readToken?: string | undefined;
  readonly extensions: Extensions;
  readonly role: RoleSource;
  /** As DuckDB writes it: `2GB`. */
  readonly memoryLimit?: string | undefined;
  readonly threads?: number | undefined;
  readonly externalTables: ExternalTablePolicy;
  readonly s3?: S3Settings | undefined;
  /** For fetched files and for what does not fit into memory; emptied at the start. */
  readonly scratchFolder: string;
  /** Where COPY … TO writes; without it nowhere. */
  readonly exportFolder?: string | undefined;
  readonly maintenance: MaintenancePolicy;
  /** Queries that run at once. */
  readonly connectionsMax?: number | undefined;
  /** Writes that may wait. */
  readonly queuedWritesMax?: number | undefined;
  /** Told of each step of a write and of maintenance, before it is done; for tests and traces. */
  readonly onStep?: ((step: EngineStep) => void) | undefined;
  /** What went wrong where nobody waits for an answer: maintenance, a change of role. */
  readonly onError?: ((error: unknown, during: string) => void) | undefined;
}

export type EngineStep =
  | 'write.begin'
  | 'write.statement'
  | 'write.commit'
  | 'write.committed'
  | 'maintenance.flush'
  | 'maintenance.merge'
  | 'maintenance.expire'
  | 'maintenance.remove';

/** Files of DuckDB's extensions. */
export interface Extensions {
  readonly ducklake: string;
  readonly sqliteScanner: string;
  readonly httpfs?: string | undefined;
}

export interface ExternalTablePolicy {
  /** Host names that may be fetched from; `*` for all, `*.example.com` for what is below. */
  readonly allowHosts: readonly string[];
  /** Whether addresses may be loopback, private or link-local. */
  readonly allowPrivate: boolean;
  readonly maxBytes: number;
  readonly timeoutMs: number;
  /** Folders of this machine whose files may be named; usually none. */
  readonly allowFolders: readonly string[];
}

export interface S3Settings {
  /** `http://host:port` or `https://host`; of AWS without it. */
  readonly endpoint?: string | undefined;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly sessionToken?: string | undefined;
  readonly pathStyle: boolean;
  readonly prefix?: string | undefined;
}

export interface MaintenancePolicy {
  /** How often to look; 0 for never. */
  readonly intervalMs: number;
  /** Rows that an insert may have to stay in the catalog; 0 for none. */
  readonly inlineRowsMax: number;
  /** Inlined data of a table is flushed from so many rows on … */
  readonly flushRows: number;
  /** … or when the oldest is so old. */
  readonly flushAfterMs: number;
  /** Files smaller than this are merged up to it. */
  readonly targetFileBytes: number;
  /** Snapshots older than this are expired; 0 for never. */
  readonly keepSnapshotsMs: number;
  /** Files that no snapshot needs stay for so long: an older catalog may be restored. */
  readonly keepFilesMs: number;
}

/** Who this node is, as the cluster says. Without a cluster: always the writer. */
export interface RoleSource {
  readonly role: LakeRole;
  /** Called at each change; the returned function ends it. */
  onRole(listener: (role: LakeRole) => void): () => void;
  /** How far this node's copy of the catalog is, if it is replicated. */
  position(): CatalogPosition | undefined;
  waitForPosition(position: CatalogPosition, options: WaitOptions): Promise<void>;
}

export interface CatalogPosition {
  readonly epoch: number;
  readonly txid: bigint;
}
