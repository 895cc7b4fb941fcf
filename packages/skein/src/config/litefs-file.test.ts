import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { ConfigError } from './errors.ts';
import { type LitefsDraft, looksLikeLitefs, readLitefsFile } from './litefs-file.ts';
import { parseYaml } from './yaml-file.ts';

function read(text: string): LitefsDraft {
  const file = parseYaml('litefs.yml', text);
  assert.ok(looksLikeLitefs(file.value));
  const { draft, warnings } = readLitefsFile('litefs.yml', file);
  // Without what is not said.
  return { draft: JSON.parse(JSON.stringify(draft)) as LitefsDraft['draft'], warnings };
}

describe('readLitefsFile()', () => {
  test('reads a file of LiteFS 0.3', () => {
    const { draft, warnings } = read(`
mount-dir: /mnt/app
data-dir: /data/app
exec: "myapp -addr :8080"
candidate: true
debug: true
skip-sync: false
retention:
  duration: 60s
  monitor-interval: 1m
http:
  addr: "localhost:20202"
consul:
  url: http://localhost:8500
  advertise-url: http://localhost:20202
  key: litefs/primary
  ttl: 10s
  lock-delay: 5s
static:
  primary: true
  hostname: localhost
  advertise-url: http://localhost:20202
`);
    assert.deepEqual(draft, {
      mountpoint: '/mnt/app',
      dataFolder: '/data/app',
      exec: [['myapp', '-addr', ':8080']],
      logLevel: 'debug',
      retentionMs: 60_000,
      cluster: {
        name: 'localhost',
        primary: 'localhost',
        primaryUrl: 'http://localhost:20202/',
        isCandidate: true,
        advertiseUrl: 'http://localhost:20202/',
        address: { host: 'localhost', port: 20_202 },
      },
    });
    assert.deepEqual(warnings, [
      'litefs.yml: without a meaning here: skip-sync, retention.monitor-interval',
      'litefs.yml: without a meaning here: consul.url, consul.advertise-url, consul.key, ' +
        'consul.ttl, consul.lock-delay (the primary is the one that is named)',
    ]);
  });

  test('reads a file of LiteFS 0.4', () => {
    const { draft, warnings } = read(`
fuse:
  dir: /litefs
  allow-other: true
  debug: false
data:
  dir: /var/lib/litefs
  compress: true
  retention: 10m
  retention-monitor-interval: 1m
exec: myapp
exit-on-error: false
http:
  addr: ":20202"
proxy:
  addr: ":8080"
  target: localhost:8081
  db: my.db
  passthrough: ["*.ico", "*.png"]
lease:
  type: static
  hostname: node1
  advertise-url: http://node1:20202
  candidate: true
tracing:
  path: /tmp/trace.log
  max-size: 64
`);
    assert.deepEqual(draft, {
      mountpoint: '/litefs',
      allowOther: true,
      dataFolder: '/var/lib/litefs',
      retentionMs: 600_000,
      exec: [['myapp']],
      cluster: {
        name: 'node1',
        primary: 'node1',
        primaryUrl: 'http://node1:20202/',
        isCandidate: true,
        advertiseUrl: 'http://node1:20202/',
        port: 20_202,
      },
      proxy: {
        address: { host: '', port: 8080 },
        target: { host: 'localhost', port: 8081 },
        database: 'my.db',
        passthrough: ['*.ico', '*.png'],
      },
    });
    assert.deepEqual(warnings, [
      'litefs.yml: without a meaning here: fuse.debug, data.compress, ' +
        'data.retention-monitor-interval, exit-on-error',
      'litefs.yml: without a meaning here: tracing.path, tracing.max-size ' +
        '(the environment variable SKEIN_TRACE=fuse shows all operations)',
    ]);
  });

  test('listens where LiteFS did: at one address, or wherever it may', () => {
    const listen = (addr: string): unknown => {
      const lease = 'lease: { type: static, hostname: node1, advertise-url: "http://node1:20202" }';
      const { cluster } = read(`fuse: {}\nhttp: { addr: "${addr}" }\n${lease}\n`).draft;
      return [cluster?.address, cluster?.port];
    };
    assert.deepEqual(listen('10.0.0.1:20202'), [{ host: '10.0.0.1', port: 20_202 }, undefined]);
    assert.deepEqual(listen('127.0.0.1:7'), [{ host: '127.0.0.1', port: 7 }, undefined]);
    assert.deepEqual(listen(':20202'), [undefined, 20_202]);
  });

  test('reads a file of LiteFS 0.5', () => {
    const { draft, warnings } = read(`
fuse:
  dir: "/litefs"
data:
  dir: "/var/lib/litefs"
exec:
  - cmd: "node ./migrate.js --all"
    if-candidate: true
  - cmd: "node ./server.js"
proxy:
  max-lag: 10s
  always-forward: ["/api/*"]
  primary-redirect-timeout: 5s
  idle-timeout: 30s
lease:
  type: static
  hostname: node1
  advertise-url: http://node1:20202
  candidate: false
  promote: true
  databases: [a.db]
backup:
  type: litefs-cloud
log:
  format: json
  timestamp: true
  debug: true
`);
    assert.deepEqual(draft, {
      mountpoint: '/litefs',
      dataFolder: '/var/lib/litefs',
      exec: [['node', './server.js']],
      cluster: {
        primary: 'node1',
        primaryUrl: 'http://node1:20202/',
        isCandidate: false,
        port: 20_202,
        databases: ['a.db'],
      },
      logFormat: 'json',
      logLevel: 'debug',
    });
    assert.deepEqual(warnings, [
      'litefs.yml: without a meaning here: proxy.idle-timeout ' +
        '(the limits of the proxy are its own)',
      'litefs.yml: without a meaning here: lease.promote (the primary is the one that is named)',
      'litefs.yml: without a meaning here: backup.type (there are no backups yet)',
      'litefs.yml: without a meaning here: log.timestamp',
    ]);
  });

  test('without a lease the node is alone, and says what that means', () => {
    const { draft, warnings } = read(
      'fuse: { dir: /a }\nhttp: { addr: ":20202" }\nlease: { candidate: false }\n',
    );
    assert.deepEqual(draft, {
      mountpoint: '/a',
      dataFolder: '/var/lib/litefs',
      httpAddress: { host: '127.0.0.1', port: 20_202 },
    });
    assert.deepEqual(warnings, [
      'litefs.yml: this node takes writes, though it is no candidate there',
      'litefs.yml: http.addr: listening on this machine alone, for want of a secret',
    ]);
  });

  test('says what to use in place of Consul, rather than go on alone', () => {
    const cure = /use a static lease: .* hostname: NAME/;
    const files = [
      'fuse: {}\nlease:\n  type: consul\n  consul: { url: "http://consul:8500", key: app }\n',
      'fuse: {}\nlease: { consul: { url: "http://consul:8500" } }\n',
      'mount-dir: /a\nconsul: { url: "http://localhost:8500" }\n',
    ];
    for (const text of files) assert.throws(() => read(text), cure);
  });

  test('runs commands for candidates on a candidate', () => {
    const { draft } = read(
      'fuse: { dir: /a }\nexec: [{ cmd: migrate, if-candidate: true }, { cmd: serve }]\n',
    );
    assert.deepEqual(draft.exec, [['migrate'], ['serve']]);
  });

  test('has the same folders as LiteFS when none are said', () => {
    const { draft } = read('fuse: { debug: true }\n');
    assert.equal(draft.mountpoint, '/litefs');
    assert.equal(draft.dataFolder, '/var/lib/litefs');
    assert.equal(read('mount-dir: /mnt\n').draft.dataFolder, undefined);
  });

  const faults: readonly (readonly [what: string, text: string, message: RegExp])[] = [
    [
      'a key that no LiteFS knows',
      'fuse:\n  dir: /a\n  foo: 1\n',
      /^litefs\.yml:3: fuse\.foo: there/,
    ],
    [
      'one at the top',
      'fuse: { dir: /a }\nleases: {}\n',
      /^litefs\.yml:2: leases: there is no such/,
    ],
    [
      'one deep down',
      'fuse: {}\nlease:\n  consul:\n    uri: x\n',
      /^litefs\.yml:4: lease\.consul\.uri/,
    ],
    ['a duration', 'fuse: {}\ndata: { retention: 10 }\n', /data\.retention: "10" is no duration/],
    [
      'a lease that nobody has',
      'fuse: {}\nlease: { type: paxos }\n',
      /^litefs\.yml:2: lease\.type: "paxos" is none of static, consul/,
    ],
    [
      'a URL',
      'fuse: {}\nlease: { advertise-url: node1 }\n',
      /lease\.advertise-url: "node1" is no URL/,
    ],
    ['an address', 'fuse: {}\nhttp: { addr: nowhere }\n', /http\.addr: "nowhere" is no address/],
    ['a command', 'fuse: {}\nexec: [{ command: x }]\n', /no key "command" \(known: cmd, if-cand/],
  ];
  for (const [what, text, message] of faults) {
    test(`refuses ${what}, naming its line`, () => {
      assert.throws(
        () => read(text),
        (error: Error) => error instanceof ConfigError && message.test(error.message),
      );
    });
  }
});

describe('looksLikeLitefs()', () => {
  test('tells the files apart', () => {
    assert.equal(looksLikeLitefs({ fuse: {} }), true);
    assert.equal(looksLikeLitefs({ 'mount-dir': 'x' }), true);
    assert.equal(looksLikeLitefs({ mount: {}, fuse: {} }), false);
    assert.equal(looksLikeLitefs({ data: {} }), false);
    assert.equal(looksLikeLitefs('fuse'), false);
  });
});
