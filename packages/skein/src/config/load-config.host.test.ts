// Files on a disk are read, expanded, checked and merged with flags.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import { tempDir } from '@skein/testkit';

import { ConfigError } from './errors.ts';
import type { ConfigDraft } from './draft.ts';
import { findDataFolder } from './load-config.ts';
import { type LoadedConfig, loadMountConfig } from './load-mount-config.ts';

interface Setup {
  readonly files?: Readonly<Record<string, string>>;
  readonly file?: string;
  readonly flags?: ConfigDraft;
  readonly environment?: Readonly<Record<string, string>>;
  readonly expandsEnvironment?: boolean;
}

const SECRET = '0123456789abcdef';

/** The folder /w stands for the test's own in what is compared. */
function load(t: TestContext, setup: Setup): LoadedConfig {
  const cwd = tempDir(t);
  for (const [path, text] of Object.entries(setup.files ?? {}))
    writeFileSync(join(cwd, path), text);
  const { file, flags = {}, environment = {}, expandsEnvironment = true } = setup;
  const loaded = loadMountConfig(
    { file, flags, environment, expandsEnvironment, cwd },
    { isRoot: true },
  );
  return JSON.parse(JSON.stringify(loaded).replaceAll(cwd, '/w')) as LoadedConfig;
}

function problemsOf(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message.split('\n');
  }
  assert.fail('It was accepted');
}

const skeinYml = (text: string): Setup => ({ files: { 'skein.yml': text } });

describe('loadMountConfig()', () => {
  test('fills in every default', (t) => {
    assert.deepEqual(load(t, { flags: { mountpoint: 'app' } }), {
      warnings: [],
      config: {
        mountpoint: '/w/app',
        dataFolder: '/w/.app',
        allowOther: true,
        passthrough: 'auto',
        stayAwake: 'auto',
        retentionMs: 600_000,
        retentionBytesMax: 1_073_741_824,
        segmentBytes: 67_108_864,
        overlayBytes: 33_554_432,
        checkpointBytes: 67_108_864,
        replicaWalBytesMax: 1_073_741_824,
        exec: [],
        log: { format: 'text', level: 'info' },
      },
    });
  });

  test('reads every key of skein.yml', (t) => {
    const text = `
mount:
  path: /srv/app
  allow-other: no
  passthrough: off
  stay-awake: on
  pin-cpu: 3
  overlay-size: 1MiB
data:
  path: /var/lib/app
  retention: 1h
  retention-size: 2GiB
  segment-size: 2MiB
  checkpoint-size: 3MiB
  replica-wal-size: 4MiB
http:
  address: 0.0.0.0:20202
  secret: ${SECRET}
  insecure: false
exec:
  - migrate --now
  - cmd: sh -c 'exec node server.js'
log:
  format: json
  level: debug
`;
    const { config, file } = load(t, skeinYml(text));
    assert.equal(file, 'skein.yml');
    assert.deepEqual(config, {
      mountpoint: '/srv/app',
      dataFolder: '/var/lib/app',
      allowOther: false,
      passthrough: 'off',
      stayAwake: 'on',
      pinCpu: 3,
      retentionMs: 3_600_000,
      retentionBytesMax: 2_147_483_648,
      segmentBytes: 2_097_152,
      overlayBytes: 1_048_576,
      checkpointBytes: 3_145_728,
      replicaWalBytesMax: 4_194_304,
      http: { host: '0.0.0.0', port: 20_202, secret: SECRET, isInsecure: false },
      exec: [
        ['migrate', '--now'],
        ['sh', '-c', 'exec node server.js'],
      ],
      log: { format: 'json', level: 'debug' },
    });
  });

  test('reads every key of a cluster and of a proxy', (t) => {
    const text = `
mount: { path: /srv/app }
cluster:
  name: node2
  primary: node1
  primary-url: https://10.0.0.1:20202
  leader-election: static
  address: :20203
  advertise-url: https://10.0.0.2:20203
  secret: ${SECRET}
  tls:
    cert: node2.pem
    key: node2.key
    ca: ca.pem
    verify-peer: no
  insecure: no
  compat: litefs
  allow-from: [10.0.0.0/24, 10.0.1.7]
  databases: [app.db]
  force-primary: yes
  max-lag: 30s
  drain: 1m
proxy:
  address: :8080
  target: localhost:8081
  advertise-url: http://10.0.0.2:8080
  database: app.db
  max-lag: 20s
  passthrough: ["*.png"]
  always-forward: /api/*
  wait: 2s
  primary-wait: 3s
  fly-replay: yes
  debug: yes
  gate: 1
  gate-wait: 4s
`;
    const { config, warnings } = load(t, skeinYml(text));
    assert.deepEqual(warnings, []);
    assert.deepEqual(config.cluster, {
      name: 'node2',
      primary: { name: 'node1', urls: ['https://10.0.0.1:20202/'] },
      listen: { host: '', port: 20_203, portCount: 1 },
      advertiseUrl: 'https://10.0.0.2:20203/',
      secret: SECRET,
      tls: {
        certFile: '/w/node2.pem',
        keyFile: '/w/node2.key',
        caFile: '/w/ca.pem',
        verifiesPeer: false,
      },
      isInsecure: false,
      compat: { allowFrom: ['10.0.0.0/24', '10.0.1.7'] },
      databases: ['app.db'],
      isForced: true,
      maxLagMs: 30_000,
      drainMs: 60_000,
    });
    assert.deepEqual(config.proxy, {
      address: { host: '', port: 8080 },
      alsoAt: [],
      target: { host: 'localhost', port: 8081 },
      advertiseUrl: 'http://10.0.0.2:8080/',
      database: 'app.db',
      passthrough: ['*.png'],
      alwaysForward: ['/api/*'],
      waitMs: 2_000,
      primaryWaitMs: 3_000,
      maxLagMs: 20_000,
      flyReplay: true,
      debug: true,
      compat: true,
      gate: 1,
      gateWaitMs: 4_000,
    });
  });

  test('takes several addresses of a proxy, each once, and leaves out what is empty', (t) => {
    const proxy = (address: string): string =>
      `mount: { path: a }\nproxy: { address: ${address}, target: "3000" }\n`;
    const text = proxy('[":8000", "$PROXY_ADDR"]');
    const alsoAt = (environment: NonNullable<Setup['environment']>): unknown =>
      load(t, { ...skeinYml(text), environment }).config.proxy?.alsoAt;
    assert.deepEqual(alsoAt({ PROXY_ADDR: ':8081' }), [{ host: '', port: 8081 }]);
    assert.deepEqual(alsoAt({ PROXY_ADDR: ':8000' }), []);
    assert.deepEqual(alsoAt({}), []);
    const [problem] = problemsOf(() => load(t, skeinYml(proxy('[""]'))));
    assert.match(problem!, /proxy\.address: expected an address here, or a list of them/);
  });

  test('takes a cluster from the environment, flags before it and the file after', (t) => {
    const setup = skeinYml('mount: { path: a }\ncluster: { primary: node1, name: node1 }\n');
    const environment = { PRIMARY_HOSTNAME: 'node2', NODE_NAME: 'node3' };
    const fromBoth = load(t, { ...setup, environment });
    assert.equal(fromBoth.config.cluster?.primary.name, 'node2');
    assert.equal(fromBoth.config.cluster.name, 'node3');
    assert.match(fromBoth.warnings.join(), /Only nodes on this machine reach this one/);
    const flags = { cluster: { name: 'node4', isForced: true } };
    const fromAll = load(t, { ...setup, environment, flags });
    assert.equal(fromAll.config.cluster?.name, 'node4');
    assert.equal(fromAll.config.cluster.isForced, true);
  });

  test('reads the secret of a cluster from its file', (t) => {
    const files = {
      'skein.yml': 'mount: { path: a }\ncluster: { primary: node1, secret-file: secret }\n',
      secret: `${SECRET}\n`,
    };
    assert.equal(load(t, { files }).config.cluster?.secret, SECRET);
  });

  test('prefers flags to the file', (t) => {
    const setup = skeinYml('mount: { path: a, passthrough: off }\ndata: { retention: 1h }\n');
    const { config } = load(t, { ...setup, flags: { mountpoint: 'b', retentionMs: 5 } });
    assert.equal(config.mountpoint, '/w/b');
    assert.equal(config.retentionMs, 5);
    assert.equal(config.passthrough, 'off');
  });

  test('takes the file that is named, and only that', (t) => {
    const files = { 'skein.yml': 'mount: { path: a }', 'other.yml': 'mount: { path: b }' };
    const { config, file } = load(t, { files, file: 'other.yml' });
    assert.equal(file, 'other.yml');
    assert.equal(config.mountpoint, '/w/b');
  });

  test('replaces variables, unless told not to', (t) => {
    const setup = skeinYml('mount:\n  path: /srv/$NAME # a comment\n');
    const environment = { NAME: 'app' };
    assert.equal(load(t, { ...setup, environment }).config.mountpoint, '/srv/app');
    const plain = load(t, { ...setup, environment, expandsEnvironment: false });
    assert.equal(plain.config.mountpoint, '/srv/$NAME');
  });

  test('keeps a secret of digits as it is written', (t) => {
    const text = 'mount: { path: a }\nhttp: { address: 1234, secret: $SECRET }\n';
    const { config } = load(t, { ...skeinYml(text), environment: { SECRET: '00000000000000007' } });
    assert.equal(config.http?.secret, '00000000000000007');
    assert.equal(config.http?.host, '127.0.0.1');
  });

  test('reads the secret from a file', (t) => {
    const files = {
      'skein.yml': 'mount: { path: a }\nhttp: { address: ":1", secret-file: s }\n',
      s: `${SECRET}\n`,
    };
    assert.equal(load(t, { files }).config.http?.secret, SECRET);
  });

  test('accepts empty sections', (t) => {
    assert.equal(
      load(t, skeinYml('mount: { path: a }\nhttp:\nlog:\ndata: {}\n')).config.http,
      undefined,
    );
  });

  const faults: readonly (readonly [what: string, text: string, problems: readonly RegExp[]])[] = [
    ['no YAML', 'mount: [', [/^skein\.yml:\d: /]],
    ['a list', '- mount', [/^skein\.yml:1: expected keys and values here$/]],
    ['a text', 'hello', [/^skein\.yml:1: expected keys and values here$/]],
    ['a key twice', 'mount: {}\nmount: {}', [/^skein\.yml:2: Map keys must be unique/]],
    ['two documents', 'mount: {}\n---\nmount: {}', [/^skein\.yml:\d: .*multiple documents/]],
    ['an empty file', '', [/^configuration: there is no mountpoint/]],
    [
      'an unknown section',
      'mount: { path: a }\nmuont: {}\n',
      [/^skein\.yml:2: muont: there is no such key \(known here: mount, data, http, cluster, /],
    ],
    [
      'an unknown key',
      'mount:\n  path: a\n\n  pasthrough: off\n',
      [/^skein\.yml:4: mount\.pasthrough: there is no such key \(known here: path, allow-other,/],
    ],
    ['a key of an object', 'mount: { path: a }\nconstructor: x', [/constructor: there is no such/]],
    [
      'several faults at once',
      'mount:\n  path: a\n  pin-cpu: two\n  stay-awake: maybe\ndata:\n  retention: 10 parsecs\n',
      [
        /^skein\.yml:3: mount\.pin-cpu: "two" is no whole number from 0 to 1023$/,
        /^skein\.yml:4: mount\.stay-awake: "maybe" is none of auto, on, off$/,
        /^skein\.yml:6: data\.retention: "10 parsecs" is no duration; write it like 90s/,
      ],
    ],
    [
      'a section that is a value',
      'mount: /srv',
      [/^skein\.yml:1: mount: expected keys and values/],
    ],
    ['a value that is a section', 'mount: { path: { a: b } }', [/mount\.path: expected one value/]],
    ['a value that is a list', 'mount: { path: [a] }', [/mount\.path: expected one value here/]],
    ['an empty path', 'mount: { path: "" }', [/mount\.path: it is empty/]],
    ['a variable that is not set', 'mount: { path: $NO }', [/mount\.path: it is empty/]],
    ['a boolean', 'mount: { path: a, allow-other: 1 }', [/allow-other: "1" is neither true nor/]],
    ['a size', 'data: { segment-size: 1KiB }', [/"1KiB" is not between 64KiB and 1GiB/]],
    ['a port', 'http: { address: ":70000" }', [/http\.address: ":70000" is no address/]],
    ['a short secret', 'http: { secret: abc }', [/http\.secret: it has fewer than 16 char/]],
    ['a secret of umlauts', 'http: { secret: äääääääääääääääääääää }', [/other than ASCII/]],
    ['no command', 'exec: ["a", ""]', [/exec: the command is empty/]],
    ['an open quote', `exec: "sh -c 'x"`, [/exec: The quote ' is not closed/]],
    ['a command of numbers', 'exec: { a: b }', [/exec: expected a command line here/]],
    ['a foreign key', 'exec: [{ cmd: a, if-candidate: true }]', [/no key "if-candidate"/]],
    ['a list in a list', 'exec: [[a, b]]', [/exec: expected a command line here, not a list/]],
    [
      'a bomb of aliases',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'.replace(/./g, (c) => {
        const last = String.fromCharCode(c.charCodeAt(0) - 1);
        return `${c}: &${c} [${`*${last},`.repeat(8)}*${last}]\n`;
      })}`,
      [/^skein\.yml: Excessive alias count/],
    ],
    [
      'everybody without a secret',
      'mount: { path: a }\nhttp: { address: ":20202" }',
      [/^configuration: http: on all interfaces anybody could read and replace/],
    ],
  ];
  for (const [what, text, patterns] of faults) {
    test(`refuses ${what}`, (t) => {
      const problems = problemsOf(() => load(t, skeinYml(text)));
      for (const [index, pattern] of patterns.entries()) assert.match(problems[index]!, pattern);
      assert.equal(problems.length, patterns.length, problems.join('\n'));
    });
  }

  test('serves everybody without a secret when that is said', (t) => {
    const text = 'mount: { path: a }\nhttp: { address: ":20202", insecure: true }';
    assert.deepEqual(load(t, skeinYml(text)).config.http, {
      host: '',
      port: 20_202,
      isInsecure: true,
    });
  });

  test('refuses a file that is not there, is a folder, or is large', (t) => {
    const missing = problemsOf(() => load(t, { file: 'no.yml', flags: { mountpoint: 'a' } }));
    assert.deepEqual(missing, ['no.yml: reading it gives ENOENT']);
    const cwd = tempDir(t);
    mkdirSync(join(cwd, 'folder.yml'));
    assert.match(problemsOf(() => load(t, { file: join(cwd, 'folder.yml') }))[0]!, /EISDIR$/);
    const large = problemsOf(() => load(t, skeinYml('#'.repeat(1024 * 1024 + 1))));
    assert.match(large[0]!, /at most 1048576 are read/);
  });

  test('refuses a secret file that is empty, and two secrets', (t) => {
    const text = 'mount: { path: a }\nhttp: { address: 1, secret-file: s }\n';
    const empty = problemsOf(() => load(t, { files: { 'skein.yml': text, s: '\n' } }));
    assert.deepEqual(empty, ['s: as a secret, it has fewer than 16 characters']);
    const twice = `mount: { path: a }\nhttp:\n  secret: ${SECRET}\n  secret-file: s\n`;
    const both = problemsOf(() => load(t, skeinYml(twice)));
    assert.deepEqual(both, [
      'skein.yml:4: http.secret-file: there is http.secret as well: say one of them',
    ]);
  });

  test('prefers the secret file of a flag to the secret of the file', (t) => {
    const text = `mount: { path: a }\nhttp: { address: 1, secret: ${SECRET} }\n`;
    const files = { 'skein.yml': text, s: 'another-secret-of-a-flag' };
    const { config } = load(t, { files, flags: { httpSecretFile: 's' } });
    assert.equal(config.http?.secret, 'another-secret-of-a-flag');
  });
});

describe('findDataFolder()', () => {
  const find = (flags: ConfigDraft): string =>
    findDataFolder({ flags, environment: {}, expandsEnvironment: true, cwd: '/nowhere' });

  test('takes the folder that is said, or that of the mountpoint', () => {
    assert.equal(find({ dataFolder: 'x' }), '/nowhere/x');
    assert.equal(find({ mountpoint: '/srv/app' }), '/srv/.app');
  });
});
