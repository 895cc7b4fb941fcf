// A data folder of LiteFS, which a configuration that comes from there may still name. It has
// databases under the same names as ours and must not be taken for one.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export const LITEFS_FOLDER_HINT =
  'Choose a new data folder; bring databases over with litefs export and skein import';

export function isLitefsFolder(path: string): boolean {
  // Ours have had this file from their first moment.
  if (existsSync(join(path, 'lock'))) return false;
  if (existsSync(join(path, 'clusterid'))) return true;
  const databases = join(path, 'dbs');
  return existsSync(databases) && readdirSync(databases).some((name) => hasLtx(databases, name));
}

function hasLtx(databases: string, name: string): boolean {
  return existsSync(join(databases, name, 'ltx'));
}
