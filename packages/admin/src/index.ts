export { createSuperuser, type CreateSuperuserOptions } from './cli/create-superuser.ts';
export type { SqliteHandle, SqliteStatement, SqlValue } from './database/handle.ts';
export { AdminError, type AdminErrorCode } from './errors.ts';
export type { AdminNode, AdminOptions } from './options.ts';
export { type AdminSite, adminSite, type ClientConnection } from './site.ts';
