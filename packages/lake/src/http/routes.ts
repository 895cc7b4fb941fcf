// Which request goes where. Every path may have the name of a database in front, `/other/q`; the
// default one is `default`. What cannot be read is at no path.

import { LakeHttpError } from './errors.ts';

export type Route =
  | { readonly kind: 'query'; readonly database: string }
  /** `segment` is what stands behind `/q/`, still percent-encoded. */
  | { readonly kind: 'cached-query'; readonly database: string; readonly segment: string }
  | {
      readonly kind: 'upload';
      readonly database: string;
      readonly schema: string;
      readonly table: string;
    }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'metrics' }
  | { readonly kind: 'healthz' }
  | { readonly kind: 'readyz' }
  /** A file of the page, from the root: `index.html`. */
  | { readonly kind: 'page'; readonly file: string };

export const DEFAULT_DATABASE = 'default';

const METHODS: Readonly<Record<Route['kind'], readonly string[]>> = {
  query: ['POST'],
  'cached-query': ['GET', 'HEAD'],
  upload: ['POST'],
  catalog: ['GET', 'HEAD'],
  metrics: ['GET', 'HEAD'],
  healthz: ['GET', 'HEAD'],
  readyz: ['GET', 'HEAD'],
  page: ['GET', 'HEAD'],
};

/** Names of the page's files; nothing that could lead out of its folder. */
const PAGE_FILE = /^(?:assets\/)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.[a-z0-9]+$/;

/** Without the query string. Throws LakeHttpError: no such path, or not for this method. */
export function routeOf(method: string, path: string): Route {
  const route = findRoute(path);
  if (route === undefined) throw new LakeHttpError(404, 'LAKE_NOT_FOUND', '');
  if (!METHODS[route.kind].includes(method)) {
    throw new LakeHttpError(405, 'LAKE_METHOD', 'HTTP method not allowed');
  }
  return route;
}

export function methodsOf(path: string): readonly string[] {
  const route = findRoute(path);
  return route === undefined ? [] : METHODS[route.kind];
}

function findRoute(path: string): Route | undefined {
  const parts = path.slice(1).split('/');
  if (parts.at(-1) === '') parts.pop();
  return singleRoute(parts) ?? databaseRoute(parts) ?? pageRoute(parts);
}

function singleRoute(parts: readonly string[]): Route | undefined {
  if (parts.length !== 1) return undefined;
  const [name] = parts;
  if (name === 'healthz' || name === 'readyz' || name === 'metrics' || name === 'catalog') {
    return { kind: name };
  }
  return undefined;
}

function databaseRoute(parts: readonly string[]): Route | undefined {
  const [first, second, third, fourth, ...rest] = parts;
  if (rest.length > 0 || first === undefined) return undefined;
  if (first === 'q' || first === 'upload') {
    return fourth === undefined ? verbRoute(DEFAULT_DATABASE, first, second, third) : undefined;
  }
  const database = maybeDecode(first);
  return database === undefined ? undefined : verbRoute(database, second, third, fourth);
}

function verbRoute(
  database: string,
  verb: string | undefined,
  first: string | undefined,
  second: string | undefined,
): Route | undefined {
  if (verb === 'q' && second === undefined) {
    if (first === undefined) return { kind: 'query', database };
    return { kind: 'cached-query', database, segment: first };
  }
  if (verb !== 'upload' || first === undefined || second === undefined) return undefined;
  const [schema, table] = [maybeDecode(first), maybeDecode(second)];
  if (schema === undefined || table === undefined) return undefined;
  return { kind: 'upload', database, schema, table };
}

function pageRoute(parts: readonly string[]): Route | undefined {
  const file = parts.length === 0 ? 'index.html' : parts.join('/');
  return PAGE_FILE.test(file) ? { kind: 'page', file } : undefined;
}

/** A name: not empty, and percent-encoded properly. */
function maybeDecode(text: string): string | undefined {
  try {
    const name = decodeURIComponent(text);
    return name === '' || name.includes('\0') ? undefined : name;
  } catch {
    return undefined;
  }
}
