export { createLakeEngine } from './engine/engine.ts';
export { alwaysWriter } from './engine/role-sources.ts';
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
export {
  type Gateway,
  type GatewayConfig,
  type GatewayStats,
  startGateway,
} from './store/gateway.ts';
export {
  createSecretStatement,
  isObjectPath,
  type ObjectLocation,
  parseObjectPath,
} from './store/object-location.ts';
export type { IngressLimits, IngressOptions } from './ingress/options.ts';
export { type Ingress, startIngress } from './ingress/start-ingress.ts';
