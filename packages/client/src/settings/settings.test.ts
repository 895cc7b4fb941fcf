import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { SettingsError } from './errors.ts';
import { loadSettings, type SettingsInput } from './settings.ts';

const RAFT =
  '"raft" does not exist yet; accepted: static, with the primary named by primaryHostname';
const LEAST = { mountPath: '/litefs', databaseName: 'db.sqlite3' } as const;

function problemsOf(input: unknown, environment: Record<string, string> = {}): string[] {
  try {
    loadSettings(input as SettingsInput, environment);
  } catch (error) {
    assert.ok(error instanceof SettingsError);
    assert.equal(error.code, 'SETTINGS_INVALID');
    const lines = error.problems.map(({ setting, message }) => `${setting}: ${message}`);
    assert.equal(error.message, lines.join('\n'));
    return lines;
  }
  return assert.fail('Nothing is wrong with these settings');
}

describe('loadSettings()', () => {
  test('takes the names of litefs-django in TypeScript spelling', () => {
    const input = {
      mountPath: '/litefs',
      dataPath: '/data',
      databaseName: 'db.sqlite3',
      leaderElection: 'static',
      primaryHostname: 'node1',
      proxyAddr: ':8000',
      enabled: true,
      retention: '1h30m',
    } as const;
    assert.deepEqual(loadSettings(input, {}), input);
  });

  test('fills in what has a default', () => {
    const { dataPath, enabled, leaderElection } = loadSettings(LEAST, {});
    assert.deepEqual([dataPath, enabled, leaderElection], ['/.litefs', true, 'static']);
    assert.equal(
      loadSettings({ ...LEAST, mountPath: 'app' }, {}).dataPath,
      `${process.cwd()}/.app`,
    );
  });

  test('reads the variables that the daemon reads', () => {
    const environment = {
      SKEIN_MOUNT_PATH: '/litefs',
      LITEFS_DATA_PATH: '/data',
      SKEIN_DATABASE_NAME: 'db.sqlite3',
      PRIMARY_HOSTNAME: 'node1',
      NODE_NAME: 'node2',
      SKEIN_PROXY_ADDR: '8000',
      SKEIN_PROXY_TARGET: ':8081',
      SKEIN_ENABLED: 'no',
      SKEIN_RETENTION: '10m',
      SKEIN_SOCKET: '/run/app.sock',
    };
    assert.deepEqual(loadSettings({}, environment), {
      mountPath: '/litefs',
      dataPath: '/data',
      databaseName: 'db.sqlite3',
      leaderElection: 'static',
      primaryHostname: 'node1',
      nodeName: 'node2',
      proxyAddr: '8000',
      proxyTarget: ':8081',
      enabled: false,
      retention: '10m',
      socketPath: '/run/app.sock',
    });
  });

  test('an object is more than the environment, SKEIN_ than LITEFS_, and empty is not said', () => {
    const environment = {
      SKEIN_DATABASE_NAME: 'of-the-environment.db',
      SKEIN_DATA_PATH: '',
      LITEFS_DATA_PATH: '/data',
      SKEIN_RETENTION: '1h',
      LITEFS_RETENTION: '2h',
    };
    const settings = loadSettings({ ...LEAST, retention: undefined }, environment);
    const { databaseName, dataPath, retention } = settings;
    assert.deepEqual([databaseName, dataPath, retention], ['db.sqlite3', '/data', '1h']);
  });

  test('names every setting that is wrong, with what is accepted', () => {
    const wrong = {
      databaseName: 'a/b',
      leaderElection: 'raft',
      primaryHostname: 'node 1',
      proxyAddr: 'http://node1',
      enabled: 'yes',
      retention: 'forever',
      mount_path: '/litefs',
    };
    assert.deepEqual(problemsOf(wrong), [
      'mountPath: which folder are the databases in? Name it, like /litefs',
      'databaseName: "a/b" has a slash; name a file in the mount, like db.sqlite3',
      `leaderElection: ${RAFT}`,
      'primaryHostname: "node 1" is no name of a node; ' +
        'accepted: 1 to 255 ASCII letters, digits, signs',
      'proxyAddr: "http://node1" is no address; write it like 127.0.0.1:8080 or :8080',
      'enabled: accepted: true, false',
      'retention: "forever" is no duration; write it like 90s, 10m or 24h',
      'mount_path: there is no such setting; accepted: mountPath, dataPath, databaseName, ' +
        'leaderElection, primaryHostname, proxyAddr, proxyTarget, enabled, retention, nodeName, ' +
        'socketPath',
    ]);
  });

  test('names the variable that is wrong', () => {
    const environment = {
      LEADER_ELECTION: 'raft',
      LITEFS_RETENTION: '9999d',
      SKEIN_ENABLED: 'maybe',
    };
    assert.deepEqual(problemsOf(LEAST, environment), [
      'SKEIN_ENABLED: "maybe" is neither true nor false',
      `LEADER_ELECTION: ${RAFT}`,
      'LITEFS_RETENTION: "9999d" is more than 3650d',
    ]);
  });

  test('takes no database whose name the mount would refuse', () => {
    for (const databaseName of ['', '  ', '.hidden', 'a/b', 'a\nb', 'x-wal', 'x'.repeat(244)]) {
      const [problem] = problemsOf({ ...LEAST, databaseName });
      assert.match(problem!, /^databaseName: .*name a file in the mount/s, databaseName);
    }
    assert.match(problemsOf({ ...LEAST, mountPath: 7 })[0]!, /^mountPath: accepted: a text$/);
  });
});
