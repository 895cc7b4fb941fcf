// What an application's settings say, as the node reads it: the skein.yml that @skein/client writes
// is accepted here, and means the same.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import { loadSettings, type SettingsInput, toSkeinYaml } from '@skein/client';
import { tempDir } from '@skein/testkit';

import { loadMountConfig } from './load-mount-config.ts';
import type { MountConfig } from './mount-config.ts';

const LEAST = { mountPath: '/litefs', databaseName: 'db.sqlite3' } as const;

function configOf(t: TestContext, input: SettingsInput): MountConfig {
  const cwd = tempDir(t);
  writeFileSync(join(cwd, 'skein.yml'), toSkeinYaml(loadSettings(input, {})));
  const sources = { flags: {}, environment: {}, expandsEnvironment: false, cwd };
  return loadMountConfig(sources, { isRoot: true, hostname: 'host1' }).config;
}

describe('Settings of an application', () => {
  test('configure a node of a cluster', (t) => {
    const config = configOf(t, {
      mountPath: '/litefs',
      dataPath: '/data "quoted": #1',
      databaseName: 'my app: 1.db',
      leaderElection: 'static',
      primaryHostname: 'node1',
      nodeName: 'node2',
      proxyAddr: ':8000',
      proxyTarget: 'localhost:8081',
      retention: '1h30m',
    });
    const { mountpoint, dataFolder, retentionMs, cluster, proxy } = config;
    assert.deepEqual([mountpoint, dataFolder], ['/litefs', '/data "quoted": #1']);
    assert.equal(retentionMs, 5_400_000);
    assert.deepEqual([cluster?.name, cluster?.primary.name], ['node2', 'node1']);
    assert.deepEqual(proxy?.address, { host: '', port: 8000 });
    assert.deepEqual(proxy.target, { host: 'localhost', port: 8081 });
    assert.equal(proxy.database, 'my app: 1.db');
  });

  test('configure a node that is alone, where no primary is named', (t) => {
    const { cluster, proxy, dataFolder } = configOf(t, LEAST);
    assert.deepEqual([cluster, proxy, dataFolder], [undefined, undefined, '/.litefs']);
  });

  test('that are accepted there are accepted here', (t) => {
    const addresses = ['8000', ':8000', 'node1:8000', '[::1]:8000', '0.0.0.0:0', 'a_b.c-d:65535'];
    for (const proxyAddr of addresses) {
      assert.ok(configOf(t, { ...LEAST, proxyAddr, proxyTarget: '1' }).proxy, proxyAddr);
    }
    for (const retention of ['0', '1ms', '1.5h', '3650d', '1d2h3m4s5ms'])
      configOf(t, { ...LEAST, retention });
    for (const primaryHostname of ['node1', 'NODE_1.example', 'true', '1e3', "it's"]) {
      const { cluster } = configOf(t, { ...LEAST, primaryHostname });
      assert.equal(cluster?.primary.name, primaryHostname);
    }
  });

  test('that are for no daemon make no file', () => {
    const write = (input: SettingsInput) => () =>
      toSkeinYaml(loadSettings({ ...LEAST, ...input }, {}));
    assert.throws(write({ enabled: false }), { code: 'SETTINGS_INVALID', message: /^enabled: / });
    assert.throws(write({ proxyAddr: ':1' }), {
      message: /^proxyTarget: where does the application/,
    });
    assert.throws(write({ proxyTarget: ':1' }), { message: /^proxyAddr: where does the proxy/ });
  });
});
