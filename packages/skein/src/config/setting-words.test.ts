import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { ConfigDraft } from './draft.ts';
import { ConfigError } from './errors.ts';
import { readEnvironment } from './setting-words.ts';
import { readSkeinFile } from './skein-file.ts';
import { parseYaml } from './yaml-file.ts';

function said(draft: ConfigDraft): unknown {
  return JSON.parse(JSON.stringify(draft));
}

describe('Settings as they are written for Django', () => {
  test('stand at the top of skein.yml', () => {
    const text = `
mount_path: /litefs
data_path: /data
database_name: db.sqlite3
leader_election: static
primary_hostname: node1
proxy_addr: ":8081"
retention: "1h"
`;
    assert.deepEqual(said(readSkeinFile('skein.yml', parseYaml('skein.yml', text))), {
      mountpoint: '/litefs',
      dataFolder: '/data',
      retentionMs: 3_600_000,
      cluster: { leaderElection: 'static', primary: 'node1' },
      proxy: { database: 'db.sqlite3', address: { host: '', port: 8081 }, alsoAt: [] },
      sql: {},
    });
  });

  test('are overruled by the keys of skein.yml', () => {
    const text = 'primary_hostname: node1\ncluster: { primary: node2 }\n';
    const { cluster } = readSkeinFile('skein.yml', parseYaml('skein.yml', text));
    assert.equal(cluster?.primary, 'node2');
  });

  test('an election that does not exist yet is named, with what to use', () => {
    const read = (text: string) => () => readSkeinFile('skein.yml', parseYaml('skein.yml', text));
    assert.throws(
      read('leader_election: raft\n'),
      /^ConfigError: skein\.yml:1: leader_election: "raft" does not exist yet: use static/,
    );
    assert.throws(
      read('cluster:\n  leader-election: consul\n'),
      /skein\.yml:2: cluster\.leader-election: "consul" does not exist yet/,
    );
    assert.throws(read('leader_election: dice\n'), /"dice" is no leader election: use static/);
  });
});

describe('readEnvironment()', () => {
  test('reads what differs between nodes', () => {
    const draft = readEnvironment({
      PRIMARY_HOSTNAME: 'node1',
      NODE_NAME: 'node2',
      LITEFS_NODE_ID: 'litefs2',
      SKEIN_ADVERTISE_URL: 'http://10.0.0.2:20202',
      SKEIN_SECRET: '0123456789abcdef',
      LITEFS_MOUNT_PATH: '/litefs',
      PROXY_ADDR: 'not ours to read',
      LITEFS_RETENTION: '',
    });
    assert.deepEqual(said(draft), {
      mountpoint: '/litefs',
      cluster: {
        primary: 'node1',
        name: 'node2',
        advertiseUrl: 'http://10.0.0.2:20202/',
        secret: '0123456789abcdef',
      },
      proxy: {},
      sql: {},
    });
    assert.equal(readEnvironment({ LITEFS_NODE_ID: 'litefs2' }).cluster?.name, 'litefs2');
  });

  test('prefers its own prefix', () => {
    const environment = {
      PRIMARY_HOSTNAME: 'a',
      LITEFS_PRIMARY_HOSTNAME: 'b',
      SKEIN_PRIMARY_HOSTNAME: 'c',
    };
    assert.equal(readEnvironment(environment).cluster?.primary, 'c');
  });

  test('names every variable that is wrong', () => {
    assert.throws(
      () => readEnvironment({ LEADER_ELECTION: 'raft', PRIMARY_HOSTNAME: 'node 1' }),
      (error) => {
        assert.ok(error instanceof ConfigError);
        const keys = error.problems.map(({ source, key }) => `${source} ${key}`);
        assert.deepEqual(keys, ['environment LEADER_ELECTION', 'environment PRIMARY_HOSTNAME']);
        return true;
      },
    );
  });
});
