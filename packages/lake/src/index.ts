export { LakeError, type LakeErrorCode, type LakeErrorKind } from './engine/errors.ts';
export type {
  CatalogDescription,
  CatalogPosition,
  EngineConfig,
  ExecuteOptions,
  Execution,
  Extensions,
  ExternalTablePolicy,
  IngestFile,
  LakeEngine,
  LakeRole,
  MaintenancePolicy,
  PlannedStatement,
  RequestPlan,
  ResultColumn,
  RoleSource,
  S3Settings,
  Snapshot,
  TableName,
} from './engine/ports.ts';
export { StoreError, type StoreErrorCode } from './store/errors.ts';
export { type ExtensionsOptions, provideExtensions } from './store/extensions.ts';
