// SQL over HTTP for the databases of a node: Hrana 2, in a process of its own.

export { type SqlServer, startSqlServer } from './start-sql-server.ts';
export {
  DEFAULT_SQL_LIMITS,
  type HostAndPort,
  type SqlLimits,
  type SqlServerOptions,
} from './options.ts';
export {
  type DatabasePosition,
  type NodeChange,
  type NodeRole,
  NodeView,
  type PrimaryNode,
} from './node-view.ts';
export {
  HranaError,
  type HranaErrorCode,
  SqlServerError,
  type SqlServerErrorCode,
} from './errors.ts';
