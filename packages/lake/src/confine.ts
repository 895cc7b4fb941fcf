// The process of the lake, confined by the kernel to its own folders (Landlock, Linux 5.13 and
// newer), so that a statement that was wrongly let through still reads nothing else.
//
// https://docs.kernel.org/userspace-api/landlock.html
//
// The rules hold for the thread that makes them and for what it starts. Node has other threads
// already, so the main thread confines itself and then replaces the program by itself (execve): the
// new one is confined as a whole, with the same process number. What is here comes before anything
// of a client does. The network stays open: the server fetches and listens.

import { constants, existsSync, openSync, closeSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import koffi, { type LibraryHandle } from 'koffi';

import { LakeError } from './engine/errors.ts';

/** Set for the program that is started confined, so that it does not begin again. */
const MARK = 'SKEIN_LAKE_CONFINED';

// include/uapi/linux/landlock.h; system call numbers are the same on all architectures.
const LANDLOCK_CREATE_RULESET = 444;
const LANDLOCK_ADD_RULE = 445;
const LANDLOCK_RESTRICT_SELF = 446;
const CREATE_RULESET_VERSION = 1;
const RULE_PATH_BENEATH = 1;
const EXECUTE = 1n << 0n;
const WRITE_FILE = 1n << 1n;
const READ_FILE = 1n << 2n;
const READ_DIR = 1n << 3n;
/** Each version of the interface knows more rights; unknown ones are refused. */
const RIGHTS_OF_VERSION: readonly bigint[] = [0n, (1n << 13n) - 1n, (1n << 14n) - 1n];
const RIGHTS_SINCE_3 = (1n << 15n) - 1n;
const TRUNCATE = 1n << 14n;
const PR_SET_NO_NEW_PRIVS = 38;
const F_SETFD = 2;

export interface Confinement {
  /** Files and folders that are read. */
  readonly readPaths: readonly string[];
  /** Folders in which files are made and changed. */
  readonly writePaths: readonly string[];
}

/** What Node, the C library, DNS and TLS read. Not /etc, /proc, /dev as wholes: they tell a lot. */
const SYSTEM_PATHS = [
  '/usr',
  '/lib',
  '/lib64',
  '/etc/ld.so.cache',
  '/etc/localtime',
  '/etc/hosts',
  '/etc/host.conf',
  '/etc/resolv.conf',
  '/etc/nsswitch.conf',
  '/etc/gai.conf',
  '/etc/ssl',
  '/etc/ca-certificates',
  // DuckDB ends the process when this is there and cannot be read.
  '/proc/self/cgroup',
  '/proc/meminfo',
  '/proc/cpuinfo',
  '/proc/stat',
  '/proc/version',
  '/proc/sys/vm/overcommit_memory',
  '/sys/devices/system/cpu',
  '/sys/fs/cgroup',
];
const DEVICES = ['/dev/null', '/dev/zero', '/dev/urandom', '/dev/random'];

/** Whether this process was started by `confine`. */
export function isConfined(environment: NodeJS.ProcessEnv): boolean {
  return environment[MARK] === '1';
}

/**
 * Starts the program again, confined; does not return then. False where the kernel cannot. Throws
 * LAKE_CONFINE when it can and something else fails.
 */
export function tryConfine(confinement: Confinement, environment: NodeJS.ProcessEnv): false {
  const libc = koffi.load(null);
  const syscall = libc.func('long syscall(long number, ...)');
  const version = Number(
    syscall(LANDLOCK_CREATE_RULESET, 'void *', null, 'size_t', 0, 'uint', CREATE_RULESET_VERSION),
  );
  if (version < 1) return false;
  const rights = RIGHTS_OF_VERSION[version] ?? RIGHTS_SINCE_3;
  const attributes = Buffer.alloc(8);
  attributes.writeBigUInt64LE(rights);
  const fcntl = libc.func('int fcntl(int fd, int command, ...)');
  const ruleset = Number(
    syscall(LANDLOCK_CREATE_RULESET, 'void *', attributes, 'size_t', 8, 'uint', 0),
  );
  check(ruleset, 'make rules');
  const allow = (path: string, wanted: bigint): void => {
    if (!existsSync(path)) return;
    const fd = openSync(path, constants.O_RDONLY);
    const rule = Buffer.alloc(12);
    rule.writeBigUInt64LE(rightsFor(path, wanted) & rights, 0);
    rule.writeInt32LE(fd, 8);
    const result = Number(
      syscall(
        LANDLOCK_ADD_RULE,
        'int',
        ruleset,
        'int',
        RULE_PATH_BENEATH,
        'void *',
        rule,
        'uint',
        0,
      ),
    );
    check(result, `allow ${path}`);
    // The kernel makes these files anew when nobody has them open, and the rule is the old one's.
    if (path.startsWith('/proc/self/')) fcntl(fd, F_SETFD, 'int', 0);
    else closeSync(fd);
  };
  const read = EXECUTE | READ_FILE | READ_DIR;
  for (const path of [...SYSTEM_PATHS, ...programPaths(), ...confinement.readPaths])
    allow(path, read);
  for (const path of DEVICES) allow(path, READ_FILE | WRITE_FILE);
  for (const path of confinement.writePaths) allow(path, RIGHTS_SINCE_3 & ~EXECUTE);
  const prctl = libc.func('int prctl(int option, ulong a, ulong b, ulong c, ulong d)');
  check(Number(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)), 'give up privileges');
  check(Number(syscall(LANDLOCK_RESTRICT_SELF, 'int', ruleset, 'uint', 0)), 'confine itself');
  return replaceProgram(libc, environment);
}

/** A file takes no rights that only folders have. */
function rightsFor(path: string, wanted: bigint): bigint {
  if (statSync(path).isDirectory()) return wanted;
  return wanted & (EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE);
}

/** Node itself, and the packages beside this one: in a clone, or under node_modules. */
function programPaths(): string[] {
  const roots: string[] = [dirname(dirname(process.execPath))];
  let folder = import.meta.dirname;
  while (dirname(folder) !== folder) {
    const modules = join(folder, 'node_modules');
    if (existsSync(modules)) roots.push(modules);
    for (const name of ['packages', 'apps', 'package.json']) {
      if (existsSync(modules) && existsSync(join(folder, name))) roots.push(join(folder, name));
    }
    folder = dirname(folder);
  }
  return roots.map((root) => resolve(root));
}

function replaceProgram(libc: LibraryHandle, environment: NodeJS.ProcessEnv): false {
  const execve = libc.func('int execve(str path, str *argv, str *envp)');
  const fcntl = libc.func('int fcntl(int fd, int command, ...)');
  // Node marks its own as to be closed.
  for (const fd of [0, 1, 2]) fcntl(fd, F_SETFD, 'int', 0);
  const variables = Object.entries({ ...environment, [MARK]: '1' }).map(
    ([name, value]) => `${name}=${value ?? ''}`,
  );
  const argv = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  execve(process.execPath, [...argv, null], [...variables, null]);
  throw new LakeError('unavailable', 'LAKE_CONFINE', 'Cannot start again, confined');
}

function check(result: number, what: string): void {
  if (result >= 0) return;
  throw new LakeError('unavailable', 'LAKE_CONFINE', `Cannot ${what}: error ${koffi.errno()}`);
}
