// Where the objects of a lake are in an object store, and what DuckDB has to be told to get at
// them. Keys go to DuckDB as a secret of its own, which no statement of a client can show or make.

import type { S3Settings } from '../engine/ports.ts';
import { StoreError } from './errors.ts';
import { quoteText } from './extension-files.ts';

/** A folder of an object store; `prefix` is empty or ends with a slash. */
export interface ObjectLocation {
  readonly bucket: string;
  readonly prefix: string;
}

/** RFC 3986, without what S3 refuses in names: dots at the ends, capitals, underscores. */
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** S3's own limit for a whole key, of which file names take some 100. */
const PREFIX_LENGTH_MAX = 900;

export function isObjectPath(dataPath: string): boolean {
  return dataPath.startsWith('s3://');
}

/** Of `s3://bucket/prefix/`. Throws StoreError LAKE_STORE_CONFIG. */
export function parseObjectPath(dataPath: string): ObjectLocation {
  const [, bucket = '', rest = ''] = /^s3:\/\/([^/]*)\/?(.*)$/s.exec(dataPath) ?? [];
  const prefix = rest === '' || rest.endsWith('/') ? rest : `${rest}/`;
  const segments = prefix.split('/').slice(0, -1);
  const isPlain = segments.every((each) => /^[\w.=+@ -]+$/.test(each) && !/^\.\.?$/.test(each));
  if (BUCKET.test(bucket) && isPlain && prefix.length <= PREFIX_LENGTH_MAX) {
    return { bucket, prefix };
  }
  throw new StoreError('LAKE_STORE_CONFIG', `No place for objects: ${dataPath}`, {
    hint: 'It is written s3://BUCKET/FOLDER/, in letters, digits, dots, dashes and underscores',
  });
}

/** The endpoint as a URL; AWS's own where none is given. Throws StoreError LAKE_STORE_CONFIG. */
export function endpointOf({ endpoint, region }: S3Settings): URL {
  const text = endpoint ?? `https://s3.${region}.amazonaws.com`;
  const url = URL.parse(text);
  const isEndpoint =
    url !== null &&
    (url.protocol === 'http:' || url.protocol === 'https:') &&
    url.pathname === '/' &&
    url.search === '' &&
    url.username === '' &&
    url.password === '';
  if (isEndpoint) return url;
  throw new StoreError('LAKE_STORE_CONFIG', `No endpoint of an object store: ${text}`, {
    hint: 'It is written https://HOST or http://HOST:PORT, without a path',
  });
}

/**
 * The statement that gives DuckDB the keys, for this place only. It contains them: it must not be
 * logged, and is run before the configuration is locked.
 */
export function createSecretStatement(s3: S3Settings, { bucket, prefix }: ObjectLocation): string {
  const endpoint = endpointOf(s3);
  const options: readonly (readonly [string, string])[] = [
    ['TYPE', 's3'],
    ['PROVIDER', 'config'],
    ['KEY_ID', quoteText(s3.accessKey)],
    ['SECRET', quoteText(s3.secretKey)],
    ...(s3.sessionToken === undefined
      ? []
      : ([['SESSION_TOKEN', quoteText(s3.sessionToken)]] as const)),
    ['REGION', quoteText(s3.region)],
    ['ENDPOINT', quoteText(endpoint.host)],
    ['USE_SSL', String(endpoint.protocol === 'https:')],
    ['URL_STYLE', quoteText(s3.pathStyle ? 'path' : 'vhost')],
    ['SCOPE', quoteText(`s3://${bucket}/${prefix}`)],
  ];
  const list = options.map(([name, value]) => `${name} ${value}`).join(', ');
  return `CREATE OR REPLACE SECRET lake_objects (${list})`;
}

/** The statement that lets DuckDB read below a URL with a bearer token, which it shows nobody. */
export function createTokenStatement(url: string, token: string): string {
  const options = `BEARER_TOKEN ${quoteText(token)}, SCOPE ${quoteText(url)}`;
  return `CREATE OR REPLACE SECRET lake_gateway (TYPE http, PROVIDER config, ${options})`;
}

/** The address of an object, and its path as it is signed. */
export function objectUrl(s3: S3Settings, bucket: string, key: string): URL {
  const url = endpointOf(s3);
  const path = encodeKey(key);
  if (s3.pathStyle) url.pathname = `/${bucket}/${path}`;
  else {
    url.hostname = `${bucket}.${url.hostname}`;
    url.pathname = `/${path}`;
  }
  return url;
}

/** As S3 wants it in a signature: all but unreserved characters, and the slashes. */
function encodeKey(key: string): string {
  return encodeURIComponent(key)
    .replaceAll(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%2F', '/');
}
