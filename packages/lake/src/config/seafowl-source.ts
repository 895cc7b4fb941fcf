// The configuration of a Seafowl: seafowl.toml and SEAFOWL__… in the environment, as settings of
// ours. Each of its keys is in the table below: what it is called here, that it has no effect any
// more, or that the lake cannot do it. Keys that Seafowl does not have are ignored, as it does.

import { parse, TomlError } from 'smol-toml';

import { NO_SOURCE, type Source, type WrittenSetting } from './draft.ts';
import type { Environment } from './environment-source.ts';
import type { LakeConfigProblem } from './errors.ts';

const PREFIX = 'SEAFOWL__';
/** Makes a text of a setting of ours; undefined: the lake cannot do that. */
type Translate = (text: string) => string | undefined;

type Meaning =
  | { readonly key: string; readonly translate?: Translate }
  /** No effect, and why none is missed. */
  | { readonly superseded: string }
  | { readonly unsupported: string };

const same = (key: string): Meaning => ({ key });
const megabytes = (key: string): Meaning => ({ key, translate: (text) => `${text}MiB` });
const superseded = (why: string): Meaning => ({ superseded: why });
const unsupported = (why: string): Meaning => ({ unsupported: why });

const FRONTEND = 'there is only HTTP';
const SYNC = 'there is no replication from PostgreSQL';
const GCS = 'Google Cloud Storage is reached by its S3 interface: endpoint and HMAC keys';

const MEANINGS: Readonly<Record<string, Meaning>> = {
  'object_store.data_dir': same('data.path'),
  'object_store.disable_hardlinks': superseded('files are written in place and renamed'),
  'object_store.region': same('s3.region'),
  'object_store.endpoint': same('s3.endpoint'),
  'object_store.access_key_id': same('s3.access-key'),
  'object_store.secret_access_key': same('s3.secret-key'),
  'object_store.session_token': same('s3.session-token'),
  'object_store.allow_http': superseded('an endpoint with http:// says so'),
  'object_store.skip_signature': superseded('without keys no request is signed'),
  'object_store.google_application_credentials': unsupported(GCS),
  'catalog.dsn': { key: 'catalog.path', translate: sqlitePath },
  'catalog.journal_mode': superseded('the catalog is always in WAL mode: readers never wait'),
  'catalog.read_only': same('catalog.read-only'),
  'catalog.schema': unsupported('the catalog is a SQLite file'),
  'frontend.http.read_access': same('http.read'),
  'frontend.http.write_access': same('http.write'),
  'frontend.http.upload_data_max_length': megabytes('http.upload-size'),
  'frontend.http.cache_control': same('http.cache-control'),
  'frontend.postgres.bind_host': unsupported(FRONTEND),
  'frontend.postgres.bind_port': unsupported(FRONTEND),
  'frontend.flight.bind_host': unsupported(FRONTEND),
  'frontend.flight.bind_port': unsupported(FRONTEND),
  'runtime.max_memory': megabytes('engine.memory'),
  'runtime.temp_dir': same('engine.scratch'),
  'misc.max_partition_size': superseded('files are sized in bytes: maintenance.file-size'),
  'misc.gc_interval': superseded('maintenance removes what nobody needs: maintenance.interval'),
  'misc.ssl_cert_file': unsupported('say NODE_EXTRA_CA_CERTS in the environment'),
  'misc.object_store_cache.capacity': same('data.cache-size'),
  'misc.object_store_cache.min_fetch_size': superseded('the cache has blocks of its own size'),
  'misc.object_store_cache.ttl': superseded('what is cached is checked by its ETag'),
  'misc.sync_conf.max_in_memory_bytes': unsupported(SYNC),
  'misc.sync_conf.max_replication_lag_s': unsupported(SYNC),
  'misc.sync_conf.max_syncs_per_url': unsupported(SYNC),
  'misc.sync_conf.write_lock_timeout_s': unsupported(SYNC),
  'misc.sync_conf.flush_task_interval_s': unsupported(SYNC),
};

/** What several keys of Seafowl's make one of. */
const COMBINED: ReadonlySet<string> = new Set([
  'object_store.type',
  'object_store.bucket',
  'object_store.prefix',
  'catalog.type',
  'frontend.http.bind_host',
  'frontend.http.bind_port',
  'misc.metrics.host',
  'misc.metrics.port',
]);

type Settings = ReadonlyMap<string, WrittenSetting>;

export function seafowlTomlSource(fileName: string, content: string): Source {
  let value: unknown;
  try {
    value = parse(content);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const message = error.message.split('\n', 1)[0] ?? 'it is no TOML';
    const problem = { place: `${fileName}:${error.line}`, key: undefined, message };
    return { ...NO_SOURCE, problems: [problem] };
  }
  const settings = new Map<string, WrittenSetting>();
  flatten(value, '', (key, text) => settings.set(key, { text, place: fileName }));
  return translate(settings);
}

export function seafowlEnvironmentSource(environment: Environment): Source {
  const settings = new Map<string, WrittenSetting>();
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX) || text === undefined) continue;
    const key = name.slice(PREFIX.length).toLowerCase().replaceAll('__', '.');
    settings.set(key, { text, place: name });
  }
  return translate(settings);
}

function translate(settings: Settings): Source {
  const draft = new Map<string, WrittenSetting>();
  const problems: LakeConfigProblem[] = [];
  const notes: string[] = [];
  for (const [key, { text, place }] of settings) {
    const meaning = MEANINGS[key];
    if (meaning === undefined) {
      if (!COMBINED.has(key)) notes.push(`${place}: ${key} is not known, and has no effect`);
    } else if ('key' in meaning) {
      const translated = meaning.translate === undefined ? text : meaning.translate(text);
      if (translated !== undefined) draft.set(meaning.key, { text: translated, place });
      else problems.push({ place, key, message: `${JSON.stringify(text)} is not supported` });
    } else if ('superseded' in meaning) {
      notes.push(`${place}: ${key} has no effect: ${meaning.superseded}`);
    } else {
      notes.push(`${place}: ${key} is not supported: ${meaning.unsupported}`);
    }
  }
  combine(settings, draft, problems);
  return { draft, problems, notes };
}

function combine(
  settings: Settings,
  draft: Map<string, WrittenSetting>,
  problems: LakeConfigProblem[],
): void {
  const storeType = settings.get('object_store.type');
  const bucket = settings.get('object_store.bucket');
  if (storeType?.text === 's3' || (storeType === undefined && bucket !== undefined)) {
    const prefix = settings.get('object_store.prefix')?.text.replace(/^\/+|\/+$/g, '') ?? '';
    const path = `s3://${bucket?.text ?? ''}/${prefix === '' ? '' : `${prefix}/`}`;
    const place = (bucket ?? storeType)!.place;
    if (bucket === undefined) {
      problems.push({ place, key: 'object_store.bucket', message: 'it is missing' });
    } else {
      draft.set('data.path', { text: path, place });
    }
    // An endpoint of its own has buckets in the path: that is how Seafowl asks it.
    const endpoint = settings.get('object_store.endpoint');
    if (endpoint !== undefined) draft.set('s3.path-style', { ...endpoint, text: 'true' });
  } else if (storeType !== undefined && storeType.text !== 'local') {
    const message = `${JSON.stringify(storeType.text)} is not supported: local or s3`;
    problems.push({ place: storeType.place, key: 'object_store.type', message });
  }
  const catalogType = settings.get('catalog.type');
  if (catalogType !== undefined && catalogType.text !== 'sqlite') {
    const message = `${JSON.stringify(catalogType.text)} is not supported: the catalog is SQLite`;
    problems.push({ place: catalogType.place, key: 'catalog.type', message });
  }
  addAddress(settings, draft, { section: 'frontend.http', host: 'bind_host', port: 'bind_port' });
  addAddress(settings, draft, { section: 'misc.metrics', host: 'host', port: 'port' });
}

const ADDRESSES: Readonly<Record<string, { readonly key: string; readonly port: string }>> = {
  'frontend.http': { key: 'http.address', port: '8080' },
  'misc.metrics': { key: 'metrics.address', port: '9090' },
};

function addAddress(
  settings: Settings,
  draft: Map<string, WrittenSetting>,
  names: { readonly section: string; readonly host: string; readonly port: string },
): void {
  const host = settings.get(`${names.section}.${names.host}`);
  const port = settings.get(`${names.section}.${names.port}`);
  const some = host ?? port;
  if (some === undefined) return;
  const defaults = ADDRESSES[names.section]!;
  const name = host?.text ?? '127.0.0.1';
  const shown = name.includes(':') ? `[${name}]` : name;
  draft.set(defaults.key, { text: `${shown}:${port?.text ?? defaults.port}`, place: some.place });
}

/** A path, or a URL of one. */
function sqlitePath(dsn: string): string | undefined {
  if (dsn === ':memory:' || dsn.startsWith('postgres')) return undefined;
  return dsn.replace(/^sqlite:(?:\/\/)?/, '').replace(/\?.*$/, '');
}

function flatten(value: unknown, key: string, add: (key: string, text: string) => void): void {
  if (typeof value === 'object' && value !== null && !(value instanceof Date)) {
    for (const [name, each] of Object.entries(value)) {
      flatten(each, key === '' ? name : `${key}.${name}`, add);
    }
    return;
  }
  add(key, String(value));
}
