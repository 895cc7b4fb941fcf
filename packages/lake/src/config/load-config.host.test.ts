import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { tempDir, type TestScope } from '@skein/testkit';

import type { Environment } from './environment-source.ts';
import { LakeConfigError } from './errors.ts';
import type { LakeConfig } from './lake-config.ts';
import { loadLakeConfig } from './load-config.ts';

const HASH = 'a'.repeat(64);

function load(
  t: TestScope,
  files: Readonly<Record<string, string>>,
  environment: Environment = {},
  flags: Readonly<Record<string, string>> = {},
): LakeConfig & { readonly folder: string } {
  const folder = tempDir(t);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return { ...loadLakeConfig({ cwd: folder, environment, flags }), folder };
}

function problemsOf(load: () => unknown): string[] {
  try {
    load();
  } catch (error) {
    assert.ok(error instanceof LakeConfigError, String(error));
    return error.message.split('\n');
  }
  assert.fail('There is no problem');
}

/** Of Seafowl's LiteFS example, the writer. */
const SEAFOWL = `
[object_store]
type = "s3"
endpoint = "http://minio:9000"
access_key_id = "minioadmin"
secret_access_key = "minioadmin"
bucket = "seafowl"

[catalog]
type = "sqlite"
dsn = "/data/seafowl/db/seafowl.sqlite"
journal_mode = "delete"

[frontend.http]
bind_host = "0.0.0.0"
read_access = "any"
write_access = "any"
`;

test('without a file everything is in one folder, for this machine, and nobody writes', (t) => {
  const config = load(t, {});
  assert.equal(config.catalogPath, join(config.folder, 'skein-lake/catalog.db'));
  assert.equal(config.dataPath, join(config.folder, 'skein-lake/data'));
  assert.deepEqual(config.address, { host: '127.0.0.1', port: 8080 });
  assert.deepEqual(config.access, { read: 'any', write: 'off' });
  assert.equal(config.external.allowPrivate, false);
});

test('lake.yml, then the environment, then flags', (t) => {
  const yaml = `
http:
  address: 127.0.0.1:9000
  read: any
  write: ${HASH.toUpperCase()}
  upload-size: 1GiB
  allow-origins: [https://a.example, https://b.example]
catalog:
  path: db/lake.db
maintenance:
  keep-snapshots: 7d
`;
  const environment = { SKEIN_LAKE_HTTP_UPLOAD_SIZE: '2GiB', SKEIN_LAKE_EXTERNAL_HOSTS: 'a, b' };
  const config = load(t, { 'lake.yml': yaml }, environment, { 'http.address': ':9001' });
  assert.deepEqual(config.access.write, { sha256: HASH });
  assert.deepEqual(config.allowOrigins, ['https://a.example', 'https://b.example']);
  assert.equal(config.limits.uploadBytes, 2 * 1024 ** 3);
  assert.deepEqual(config.external.allowHosts, ['a', 'b']);
  assert.equal(config.catalogPath, join(config.folder, 'db/lake.db'));
  assert.equal(config.maintenance.keepSnapshotsMs, 7 * 86_400_000);
});

test('all problems are named at once, with their places', (t) => {
  const yaml = 'http:\n  address: nowhere\n  reed: any\nlimits:\n  queries: 0\nserver: {}\n';
  const environment = { SKEIN_LAKE_HTTP_PORT: '1', SKEIN_LAKE_LOG_LEVEL: 'loud' };
  const problems = problemsOf(() => load(t, { 'lake.yml': yaml }, environment));
  const all = problems.join('\n');
  for (const expected of [
    /lake\.yml:2: http\.address: "nowhere" is no address/,
    /lake\.yml:3: http\.reed: there is no such key \(known here: address, read/,
    /lake\.yml:5: limits\.queries: "0" is no whole number from 1/,
    /SKEIN_LAKE_HTTP_PORT: there is no such setting/,
    /SKEIN_LAKE_LOG_LEVEL: log\.level: "loud" is no word of debug/,
  ]) {
    assert.match(all, expected);
  }
});

test('durations and sizes are as in every configuration of Skein', (t) => {
  const yaml = (time: string, size: string): string =>
    `limits:\n  query-time: ${time}\n  query-size: ${size}\n`;
  const { limits } = load(t, { 'lake.yml': yaml('1h30m', '1.5 kB') });
  assert.deepEqual([limits.queryMs, limits.queryBytes], [5_400_000, 1500]);
  const wrong = yaml('10 parsecs', '99999999999999999TiB');
  assert.deepEqual(
    problemsOf(() => load(t, { 'lake.yml': wrong })),
    [
      'lake.yml:2: limits.query-time: "10 parsecs" is no duration; write it like 90s, 10m or 1h30m',
      'lake.yml:3: limits.query-size: "99999999999999999TiB" is too large',
    ],
  );
});

test('a lake that others can reach says who may read', (t) => {
  const open = (yaml: string): unknown => load(t, { 'lake.yml': yaml });
  assert.match(problemsOf(() => open('http:\n  address: :8080\n'))[0]!, /http\.read: say who may/);
  open('http:\n  address: :8080\n  read: any\n');
});

test('a password where its hash belongs is not repeated', (t) => {
  const yaml = 'http:\n  write: open sesame\n';
  const [problem] = problemsOf(() => load(t, { 'lake.yml': yaml }));
  assert.match(problem!, /^lake\.yml:2: http\.write: it is no right: any, off/);
});

test('a seafowl.toml is understood, and what has no effect is named', (t) => {
  const config = load(t, { 'seafowl.toml': SEAFOWL });
  assert.equal(config.catalogPath, '/data/seafowl/db/seafowl.sqlite');
  assert.equal(config.dataPath, 's3://seafowl/');
  assert.deepEqual(config.s3, {
    endpoint: 'http://minio:9000',
    region: 'us-east-1',
    accessKey: 'minioadmin',
    secretKey: 'minioadmin',
    sessionToken: undefined,
    pathStyle: true,
  });
  assert.deepEqual(config.address, { host: '0.0.0.0', port: 8080 });
  assert.deepEqual(config.access, { read: 'any', write: 'any' });
  assert.equal(config.notes.length, 1);
  assert.match(config.notes[0]!, /^seafowl\.toml: catalog\.journal_mode has no effect: .*WAL/);
});

test('SEAFOWL__… wins over seafowl.toml, and misc.metrics has an address of its own', (t) => {
  const config = load(
    t,
    { 'seafowl.toml': `${SEAFOWL}[misc.metrics]\nport = 9191\n` },
    {
      SEAFOWL__FRONTEND__HTTP__WRITE_ACCESS: HASH,
      SEAFOWL__CATALOG__READ_ONLY: 'true',
      SEAFOWL__RUNTIME__MAX_MEMORY: '512',
    },
  );
  assert.deepEqual(config.access.write, { sha256: HASH });
  assert.equal(config.isReadOnly, true);
  assert.equal(config.memoryLimit, '512MiB');
  assert.deepEqual(config.metricsAddress, { host: '127.0.0.1', port: 9191 });
});

test('stores and catalogs of Seafowl that there are not here are problems', (t) => {
  const toml = '[object_store]\ntype = "gcs"\n[catalog]\ntype = "postgres"\ndsn = ":memory:"\n';
  const problems = problemsOf(() => load(t, { 'seafowl.toml': toml })).join('\n');
  assert.match(problems, /object_store\.type: "gcs" is not supported/);
  assert.match(problems, /catalog\.type: "postgres" is not supported/);
  assert.match(problems, /catalog\.dsn: ":memory:" is not supported/);
  const broken = problemsOf(() => load(t, { 'seafowl.toml': 'a = = 1\n' }));
  assert.match(broken[0]!, /^seafowl\.toml:1: /);
});
