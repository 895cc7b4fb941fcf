export {
  changesDisk,
  crashPoints,
  type Failure,
  type FaultPoint,
  type Operation,
  type OperationKind,
  PowerCut,
  type Stop,
} from './sim-disk/faults.ts';
export { POWER_CUT_MODES, type PowerCutMode } from './sim-disk/fate.ts';
export { SimBackgroundIo } from './sim-disk/sim-background-io.ts';
export { SimDisk, type SimDiskOptions } from './sim-disk/sim-disk.ts';
export { type BackgroundSetup, testBackgroundIo } from './conformance/background-io-contract.ts';
export { type DiskSetup, testDisk } from './conformance/disk-contract.ts';
export {
  apiUrl,
  type ClusterConfigOptions,
  type NodeConfig,
  nodeConfig,
  type NodePlace,
  proxyUrl,
  sqlUrl,
} from './cluster/cluster-config.ts';
export { Cluster, CLUSTER_SECRET, type ClusterOptions, createCluster } from './cluster/cluster.ts';
export { ClusterNode, type ClusterNodeOptions } from './cluster/cluster-node.ts';
export { assertConverged } from './cluster/convergence.ts';
export { disturb, type DisturbOptions } from './cluster/disturb.ts';
export { freePorts, freePortsInARow } from './cluster/free-port.ts';
export {
  type HistoryClientOptions,
  HistoryReader,
  HistoryWriter,
} from './cluster/history-client.ts';
export { waitUntil } from './cluster/wait-until.ts';
export { parsePositive, runCommand, runProgram } from './command-line.ts';
export { askDaemon, fetchToFile } from './daemon/ask-daemon.ts';
export { type Daemon, type DaemonOptions, residentBytes, startDaemon } from './daemon/daemon.ts';
export {
  type CreatedMessage,
  createMessagesSuperuser,
  type MessagesApp,
  type MessagesAppOptions,
  messagesEnvironment,
  migrateMessages,
  type MessagesNode,
  startMessagesApp,
  type Superuser,
} from './example/messages-app.ts';
export { assertHistory, checkHistory } from './history/check-history.ts';
export type {
  CommitPosition,
  Glimpse,
  History,
  Operation as HistoryOperation,
  SessionPromise,
  Violation,
  WriteOutcome,
} from './history/history.ts';
export { HistoryRecorder, type ReadPlace, type WriteResult } from './history/history-recorder.ts';
export {
  HISTORY_LIST,
  HISTORY_READ,
  HISTORY_SCHEMA,
  HISTORY_WRITE,
  parseGlimpse,
} from './history/state.ts';
export { formatRows } from './format-rows.ts';
export { Interrupted, interruptSignal } from './interrupt.ts';
export { type LogEntry, RecordingLog } from './recording-log.ts';
export { nullFileLocks } from './null-file-locks.ts';
export { nullMetrics } from './null-metrics.ts';
export { detachMount, findMount } from './mounts.ts';
export { AS_NOBODY, canRunAsNobody, NOBODY } from './nobody.ts';
export { hasPart, type PartName, requirePart, skipTest } from './require-part.ts';
export {
  Ceph,
  type CephOptions,
  type ObjectStore,
  startObjectStore,
  type StoreMethod,
} from './object-store/ceph.ts';
export {
  FaultProxy,
  type FaultPlan,
  type SeenRequest,
  startFaultProxy,
  type StoreFault,
} from './object-store/fault-proxy.ts';
export { buildConsole } from './lake/console.ts';
export { LakeCluster, type LakeClusterOptions, type LakeSections } from './lake/lake-cluster.ts';
export { LakeProcess, type LakeProcessOptions } from './lake/lake-process.ts';
export {
  findLitefs,
  LitefsNode,
  type LitefsNodeOptions,
  type LitefsRole,
  requireLitefs,
} from './litefs/litefs-node.ts';
export type { Condition } from './network/link-conditions.ts';
export {
  createNetwork,
  requireNetwork,
  type VirtualHost,
  type VirtualNetwork,
  type VirtualNetworkOptions,
} from './network/virtual-network.ts';
export { type NameServer, type NameServerOptions, startNameServer } from './network/name-server.ts';
export type { FuzzTarget } from './fuzz-target.ts';
export { SOURCE_FLAGS } from './source-flags.ts';
export { SeededRandom } from './seeded-random.ts';
export { SimClock } from './sim-clock.ts';
export { tempDir } from './temp-dir.ts';
export { onTestEnd, type TestScope } from './test-cleanup.ts';
export type { SqlValue } from './sqlite/sql-value.ts';
export { SqliteClientError, SqliteError } from './sqlite/sqlite-error.ts';
export {
  requireDriver,
  SQLITE_DRIVERS,
  type SqliteDriver,
  SqliteProcess,
  type SqliteProcessOptions,
  startSqlite,
} from './sqlite/sqlite-process.ts';
export { watchMounts } from './watchdog.ts';
export { runWorkload, type WorkloadOutcome } from './workload/run-workload.ts';
export {
  createWorkload,
  JOURNAL_MODES,
  type JournalMode,
  type WorkloadOptions,
  type WorkloadStep,
} from './workload/workload.ts';
