// What an external table names, brought to the scratch folder: by HTTP, from S3, or a copy of a
// file in a folder that the configuration names for it.

import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, realpath, rm, stat } from 'node:fs/promises';
import { isAbsolute, join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';

import type { ExternalTable } from '../../sql/external-table.ts';
import { objectUrl, parseObjectPath } from '../../store/object-location.ts';
import { signRequest } from '../../store/sign-request.ts';
import type { EngineConfig, ExternalTablePolicy, S3Settings } from '../ports.ts';
import { failed, fetchFile, parseHttpUrl } from './fetch-file.ts';
import { refused } from './public-address.ts';

/** `s3://bucket/key`, with what S3 allows in the name of a bucket. */
const OBJECT = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/(.+)$/s;

export type LocationConfig = Pick<
  EngineConfig,
  'dataPath' | 's3' | 'scratchFolder' | 'externalTables'
>;

export interface LocationOptions {
  readonly config: LocationConfig;
  readonly signal: AbortSignal;
  readonly timeMs: number;
}

/** The path of the fetched file, which is the caller's. Throws LAKE_LOCATION or LAKE_FETCH. */
export async function fetchLocation(
  table: ExternalTable,
  options: LocationOptions,
): Promise<string> {
  const { config, signal } = options;
  const policy = config.externalTables;
  const folder = join(config.scratchFolder, 'staging');
  await mkdir(folder, { recursive: true });
  const path = join(folder, randomUUID());
  const { location } = table;
  if (location.startsWith('s3://')) {
    await fetchObject(table, path, options);
  } else if (isAbsolute(location) || location.startsWith('file:')) {
    await copyFile(localPath(location), path, policy, signal);
  } else {
    await fetchFile(parseHttpUrl(location), path, { policy, signal });
  }
  return path;
}

/** Throws LAKE_LOCATION for `file:` with a host or what is no path. */
function localPath(location: string): string {
  if (isAbsolute(location)) return location;
  try {
    return fileURLToPath(location);
  } catch (cause) {
    throw refused('The location is no address of a file', cause);
  }
}

async function copyFile(
  from: string,
  to: string,
  policy: ExternalTablePolicy,
  signal: AbortSignal,
): Promise<void> {
  const source = await allowedFile(from, policy);
  if ((await stat(source)).size > policy.maxBytes) {
    throw failed(`The file is larger than ${policy.maxBytes} bytes`);
  }
  try {
    await pipeline(createReadStream(source), createWriteStream(to, { mode: 0o600 }), { signal });
  } catch (error) {
    await rm(to, { force: true });
    if (signal.aborted) throw signal.reason;
    throw failed(
      `Cannot read the file: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`,
    );
  }
}

/** Links are followed first: what counts is where the file is. No folder, one answer. */
async function allowedFile(path: string, policy: ExternalTablePolicy): Promise<string> {
  const real = await realpath(path).catch(() => undefined);
  for (const folder of policy.allowFolders) {
    const root = await realpath(folder).catch(() => undefined);
    if (real === undefined || root === undefined || !real.startsWith(root + sep)) continue;
    if ((await stat(real)).isFile()) return real;
  }
  throw refused('Files of the server may not be read, or not this one');
}

async function fetchObject(
  table: ExternalTable,
  path: string,
  options: LocationOptions,
): Promise<void> {
  const { config, signal, timeMs } = options;
  const { s3, isOwn, isAnonymous } = objectStore(table, config);
  const [, bucket, key] = OBJECT.exec(table.location) ?? [];
  if (bucket === undefined || key === undefined || !isPlainKey(key)) {
    throw refused('The location names no object');
  }
  const url = objectUrl(s3, bucket, key);
  // The lake's own store may be anywhere; it alone may.
  const policy = isOwn
    ? { ...config.externalTables, allowHosts: [url.hostname], allowPrivate: true }
    : config.externalTables;
  const headers = isAnonymous ? {} : signRequest({ method: 'GET', url, headers: {} }, s3, timeMs);
  await fetchFile(url, path, { policy, signal, headers });
}

/** In an address `a/../b` is `b`, and `../b` another bucket; stores drop slashes, too. */
function isPlainKey(key: string): boolean {
  return key.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

interface ObjectStore {
  readonly s3: S3Settings;
  readonly isOwn: boolean;
  readonly isAnonymous: boolean;
}

/** As OPTIONS say; without keys the lake's own store, and only what is the lake's bucket. */
function objectStore(table: ExternalTable, config: LocationConfig): ObjectStore {
  const option = (name: string): string | undefined =>
    table.options.get(name) ?? table.options.get(`aws.${name}`) ?? table.options.get(`s3.${name}`);
  const accessKey = option('access_key_id');
  const secretKey = option('secret_access_key');
  const isAnonymous = option('skip_signature') === 'true';
  if (accessKey === undefined && !isAnonymous && option('endpoint') === undefined) {
    return inherited(table, config);
  }
  const endpoint = option('endpoint');
  if (endpoint?.startsWith('http://') === true && option('allow_http') !== 'true') {
    throw refused('The endpoint is http: set the option allow_http to use it');
  }
  return {
    s3: {
      endpoint,
      region: option('region') ?? 'us-east-1',
      accessKey: accessKey ?? '',
      secretKey: secretKey ?? '',
      sessionToken: option('session_token'),
      // Stores other than Amazon's have one name for all buckets.
      pathStyle: endpoint !== undefined,
    },
    isOwn: false,
    isAnonymous: isAnonymous || accessKey === undefined,
  };
}

function inherited(table: ExternalTable, config: LocationConfig): ObjectStore {
  const { s3 } = config;
  if (s3 === undefined) throw refused('The location is in S3: OPTIONS have to say with which keys');
  const { bucket, prefix } = parseObjectPath(config.dataPath);
  const isOwnBucket = table.location.startsWith(`s3://${bucket}/`);
  // The lake's own files hold what no snapshot shows any more. Without a prefix all are its own.
  if (!isOwnBucket || table.location.startsWith(`s3://${bucket}/${prefix}`)) {
    throw refused("Without keys in OPTIONS only other objects of the lake's bucket can be named");
  }
  return { s3, isOwn: true, isAnonymous: false };
}
