// Which database a request is about: `/v2/pipeline` is the one that is configured,
// `/db/NAME/v2/pipeline` any other. A name is a file on the mount, in one flat folder; nothing in
// it leads elsewhere.

import type { SqlServerOptions } from './options.ts';

const PIPELINE = '/v2/pipeline';
const VERSION = '/v2';
const NAMED = /^\/db\/([^/]+)(\/.*)$/;

/** What a path asks for. */
export type Target =
  | { readonly kind: 'pipeline' | 'version'; readonly database: string | undefined }
  | { readonly kind: 'health' | 'unknown' };

/** `path` without the query. */
export function targetOf(path: string, defaultDatabase: string | undefined): Target {
  if (path === PIPELINE) return { kind: 'pipeline', database: defaultDatabase };
  if (path === '/health') return { kind: 'health' };
  const [, encoded, inner] = NAMED.exec(path) ?? [];
  const database = encoded === undefined ? defaultDatabase : maybeDecode(encoded);
  const rest = inner ?? path;
  if (rest === PIPELINE) return { kind: 'pipeline', database };
  return rest === VERSION || rest === `${VERSION}/`
    ? { kind: 'version', database }
    : { kind: 'unknown' };
}

/** What SQLite and Skein give the companions of a database; and NAME_MAX, with room for them. */
const COMPANION = /-(?:journal|wal|shm|pos|mj[0-9A-F]{9})$/;
const NAME_BYTES_MAX = 243;

/** Whether there can be such a database, and whether it is served. */
export function isServed(
  name: string,
  { database, databases }: Pick<SqlServerOptions, 'database' | 'databases'>,
): boolean {
  if (name === '' || name.startsWith('.') || /[/\\\p{Control}\ufffd]/u.test(name)) return false;
  if (COMPANION.test(name) || Buffer.byteLength(name) > NAME_BYTES_MAX) return false;
  return databases === undefined || name === database || databases.includes(name);
}

/** Whether a database that is not there is made: no typing error is to do that. */
export function mayBeMade(
  name: string,
  { database, databases }: Pick<SqlServerOptions, 'database' | 'databases'>,
): boolean {
  return name === database || databases?.includes(name) === true;
}

function maybeDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
