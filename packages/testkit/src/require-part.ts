// What some tests need of the machine. Where it is missing they are skipped and say why; in CI,
// which is set up to have everything, they fail instead, so that no test is lost in silence.

import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';

interface Part {
  readonly isPresent: () => boolean;
  /** How to get it. */
  readonly cure: string;
}

export type PartName =
  | 'fuse'
  | 'fusermount3'
  | 'mount'
  | 'rsync'
  | 'setpriv'
  | 'taskset'
  | 'python3'
  | 'sqlite3'
  | 'lz4'
  | 'chromium'
  | 'curl'
  | 'haproxy'
  | 'ip'
  | 'nginx'
  | 'nsenter'
  | 'openssl'
  | 'radosgw'
  | 'overlay'
  | 'pip'
  | 'tun'
  | 'root';

const PARTS: Readonly<Record<PartName, Part>> = {
  fuse: { isPresent: () => canOpen('/dev/fuse'), cure: 'modprobe fuse' },
  fusermount3: program('fusermount3', ['--version'], 'fuse3'),
  mount: program('mount', ['--version'], 'mount'),
  rsync: program('rsync', ['--version'], 'rsync'),
  setpriv: program('setpriv', ['--version'], 'util-linux'),
  taskset: program('taskset', ['--version'], 'util-linux'),
  python3: program('python3', ['-c', 'import sqlite3'], 'python3'),
  sqlite3: program('sqlite3', ['--version'], 'sqlite3'),
  lz4: program('lz4', ['--version'], 'lz4'),
  chromium: program('chromium', ['--version'], 'chromium'),
  curl: program('curl', ['--version'], 'curl'),
  haproxy: program('haproxy', ['-v'], 'haproxy'),
  ip: program('ip', ['-Version'], 'iproute2'),
  nginx: program('nginx', ['-v'], 'nginx-light'),
  nsenter: program('nsenter', ['--version'], 'util-linux'),
  openssl: program('openssl', ['version'], 'openssl'),
  overlay: {
    isPresent: () => readFileSync('/proc/filesystems', 'utf8').includes('\toverlay\n'),
    cure: 'modprobe overlay',
  },
  pip: program('python3', ['-m', 'pip', '--version'], 'python3-pip'),
  radosgw: program('radosgw', ['--version'], 'radosgw ceph-mon ceph-osd ceph-common'),
  tun: { isPresent: () => canOpen('/dev/net/tun'), cure: 'modprobe tun' },
  root: { isPresent: () => process.getuid?.() === 0, cure: 'run the tests as root' },
};

const presence = new Map<PartName, boolean>();

/** Whether this machine has the part; asked once a process. */
export function hasPart(name: PartName): boolean {
  const known = presence.get(name);
  if (known !== undefined) return known;
  const isPresent = PARTS[name].isPresent();
  presence.set(name, isPresent);
  return isPresent;
}

/**
 * Whether the test can run: `if (!requirePart(t, 'fuse', 'root')) return;`. Marks it as skipped if
 * not, or throws when the environment says `CI=true`.
 */
export function requirePart(t: Pick<TestContext, 'skip'>, ...names: readonly PartName[]): boolean {
  const missing = names.filter((name) => !hasPart(name));
  if (missing.length === 0) return true;
  const cures = missing.map((name) => `${name} (${PARTS[name].cure})`);
  return skipTest(t, `This test needs ${cures.join(' and ')}`);
}

/** Marks the test as skipped and returns false, or throws when the environment says `CI=true`. */
export function skipTest(t: Pick<TestContext, 'skip'>, reason: string): false {
  if (process.env['CI'] === 'true') throw new Error(reason);
  t.skip(reason);
  return false;
}

function program(command: string, probe: readonly string[], debianPackage: string): Part {
  return {
    isPresent: () => spawnSync(command, probe, { stdio: 'ignore' }).status === 0,
    cure: `apt-get install ${debianPackage}`,
  };
}

function canOpen(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
