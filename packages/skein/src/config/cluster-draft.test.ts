import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { ClusterConfig } from './cluster-config.ts';
import { type ClusterDraft, finishCluster, finishProxy } from './cluster-draft.ts';
import { formatProblem } from './errors.ts';

const OPTIONS = { cwd: '/w', hostname: 'machine' };
const SECRET = '0123456789abcdef';

function finish(draft: ClusterDraft): ClusterConfig {
  const { config, problems } = finishCluster(draft, OPTIONS);
  assert.deepEqual(problems.map(formatProblem), []);
  assert.ok(config !== undefined);
  return config;
}

function problemsOf(draft: ClusterDraft): readonly string[] {
  return finishCluster(draft, OPTIONS).problems.map(formatProblem);
}

describe('finishCluster()', () => {
  test('makes no cluster where nobody speaks of one', () => {
    assert.equal(finishCluster(undefined, OPTIONS).config, undefined);
    assert.equal(finishCluster({}, OPTIONS).config, undefined);
    assert.equal(finishCluster({ name: 'node1', secret: undefined }, OPTIONS).config, undefined);
  });

  test('fills in every default for nodes on one machine', () => {
    const { primary, ...rest } = finish({ primary: 'node1' });
    assert.equal(primary.name, 'node1');
    assert.equal(primary.urls.length, 16);
    assert.equal(primary.urls[1], 'http://127.0.0.1:20203/');
    assert.deepEqual(rest, {
      name: 'machine',
      listen: { host: '127.0.0.1', port: 20_202, portCount: 16 },
      advertiseUrl: undefined,
      secret: undefined,
      tls: undefined,
      isInsecure: false,
      compat: undefined,
      databases: undefined,
      isForced: false,
      maxLagMs: 10_000,
      drainMs: 5_000,
    });
  });

  test('with a secret other machines are served, and the primary is found by its name', () => {
    const { listen, primary } = finish({ primary: 'node1', secret: SECRET });
    assert.deepEqual(listen, { host: '', port: 20_202, portCount: 16 });
    assert.deepEqual(primary.urls, ['http://node1:20202/']);
    assert.equal(finish({ primary: 'node1', isInsecure: true }).listen.host, '');
  });

  test('a port that was said is the only one', () => {
    assert.deepEqual(finish({ primary: 'node1', port: 7 }).listen, {
      host: '127.0.0.1',
      port: 7,
      portCount: 1,
    });
    const address = { host: '::1', port: 7 };
    assert.deepEqual(finish({ primary: 'node1', address }).listen, { ...address, portCount: 1 });
  });

  test('TLS verifies peers where there is an authority, and then protects', () => {
    const files = { tlsCert: 'a.pem', tlsKey: '/k/a.key', tlsCa: 'ca.pem' };
    const { tls, listen, primary } = finish({ primary: 'node1', ...files });
    assert.deepEqual(tls, {
      certFile: '/w/a.pem',
      keyFile: '/k/a.key',
      caFile: '/w/ca.pem',
      verifiesPeer: true,
    });
    assert.equal(listen.host, '');
    assert.deepEqual(primary.urls, ['https://node1:20202/']);
    // A certificate alone hides what is said; it does not tell who listens.
    const { tlsCa: _, ...alone } = files;
    assert.equal(finish({ primary: 'node1', ...alone }).listen.host, '127.0.0.1');
  });

  const faults: readonly (readonly [what: string, draft: ClusterDraft, problem: RegExp])[] = [
    ['no primary', { leaderElection: 'static' }, /cluster\.primary: which node .*PRIMARY_HOSTNAME/],
    [
      'an address beyond this machine without protection',
      { primary: 'node1', address: { host: '', port: 1 } },
      /cluster: on all interfaces anybody .*cluster\.secret.*cluster\.insecure: true/,
    ],
    ['half of TLS', { primary: 'node1', tlsCert: 'a' }, /cluster\.tls: .* say cert and key/],
    [
      'peers that nobody can verify',
      { primary: 'node1', tlsCert: 'a', tlsKey: 'b', tlsVerifiesPeer: true },
      /cluster\.tls\.verify-peer: .*cluster\.tls\.ca/,
    ],
    [
      'LiteFS from anywhere',
      { primary: 'node1', compat: 'litefs' },
      /cluster\.compat: .*allow-from/,
    ],
    ['addresses for nobody', { primary: 'node1', allowFrom: [] }, /allow-from: .*compat: litefs/],
    [
      'a candidate of another name',
      { primary: 'node1', name: 'node2', isCandidate: true },
      /lease\.candidate: .*named node2, and the primary is node1/,
    ],
    [
      'the name of the primary on another node',
      { primary: 'machine', isCandidate: false },
      /lease\.candidate: .*is no candidate, but is named machine/,
    ],
  ];
  for (const [what, draft, problem] of faults) {
    test(`refuses ${what}`, () => {
      const problems = problemsOf(draft);
      assert.equal(problems.length, 1);
      assert.match(problems[0]!, problem);
    });
  }
});

describe('finishProxy()', () => {
  const address = { host: '', port: 8080 };
  const target = { host: 'localhost', port: 8081 };

  test('makes no proxy of a database alone', () => {
    assert.equal(finishProxy({ database: 'app.db' }, undefined).config, undefined);
  });

  test('needs both ends', () => {
    assert.match(finishProxy({ address }, undefined).problems[0]!.message, /app listen/);
    assert.match(finishProxy({ target }, undefined).problems[0]!.message, /proxy listen/);
    assert.equal(finishProxy({ address, target }, undefined).config?.waitMs, 1_000);
  });

  test('is found by plain HTTP, as nodes forward', () => {
    const draft = { address, target, advertiseUrl: 'https://app.example.org/' };
    assert.match(finishProxy(draft, undefined).problems[0]!.message, /plain HTTP/);
  });

  test('needs a database for the cookie of LiteFS', () => {
    const cluster = finish({ primary: 'node1', compat: 'litefs', allowFrom: ['10.0.0.0/8'] });
    assert.match(finishProxy({ address, target }, cluster).problems[0]!.message, /about one/);
    const { config } = finishProxy({ address, target, database: 'app.db' }, cluster);
    assert.equal(config?.compat, true);
  });
});
