// The first process of a container, until it becomes the program: makes the root that the program
// sees, in namespaces of its own (container.ts), then gives up what a container may not do.
//
// The root is the machine's own, with a layer above it that is gone afterwards: what the image
// shows and runs, /dev with the devices that were asked for and no others, /tmp and /run empty, the
// volumes. The machine's other mounts are left behind at once: a FUSE mount of somebody else's
// would be kept alive by ours.
//
//   node container-entry.ts SPEC        SPEC: a ContainerSpec as JSON

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

import type { ImageStep } from './image.ts';
import { type Privileges, privilegePrefix } from './privileges.ts';

export interface ContainerSpec extends Privileges {
  /** An empty folder of the machine, for mounts that only the container sees. */
  readonly folder: string;
  readonly hostname: string;
  /** A file of the machine: /etc/hosts. */
  readonly hostsFile: string;
  readonly steps: readonly ImageStep[];
  readonly devices: readonly string[];
  readonly tmpfs: readonly string[];
  readonly volumes: readonly ContainerVolume[];
  readonly isReadOnly: boolean;
  readonly environment: Readonly<Record<string, string>>;
  readonly command: readonly string[];
}

export interface ContainerVolume {
  readonly source: string;
  readonly target: string;
  readonly isReadOnly: boolean;
  /** While it is empty, owner and mode are those of what the image has there. */
  readonly isNamed: boolean;
}

const USUAL_DEVICES: readonly string[] = ['null', 'zero', 'full', 'random', 'urandom', 'tty'].map(
  (name) => `/dev/${name}`,
);

function call(program: string, ...args: readonly string[]): void {
  const { status, error } = spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? status}`);
}

/** A folder of files that only this container has; returns the path of its root. */
function mountRoot({ folder }: ContainerSpec): string {
  call('mount', '-t', 'tmpfs', 'tmpfs', folder);
  const [root, upper, work] = ['root', 'upper', 'work'].map((name) => join(folder, name));
  for (const path of [root!, upper!, work!]) mkdirSync(path);
  const options = `lowerdir=/,upperdir=${upper},workdir=${work}`;
  call('mount', '-t', 'overlay', '-o', options, 'overlay', root!);
  return root!;
}

function mountSystem(root: string, { devices, tmpfs }: ContainerSpec): void {
  call('mount', '-t', 'proc', 'proc', join(root, 'proc'));
  call('mount', '-t', 'sysfs', '-o', 'ro', 'sysfs', join(root, 'sys'));
  call('mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', join(root, 'dev'));
  for (const device of [...USUAL_DEVICES, ...devices]) show(device, join(root, device), 'rw');
  for (const [name, target] of [
    ['fd', '/proc/self/fd'],
    ['stdin', '/proc/self/fd/0'],
    ['stdout', '/proc/self/fd/1'],
    ['stderr', '/proc/self/fd/2'],
  ] as const) {
    call('ln', '-s', target, join(root, 'dev', name));
  }
  mkdirSync(join(root, 'dev', 'shm'));
  for (const path of ['/dev/shm', '/tmp', '/run', ...tmpfs]) {
    mkdirSync(join(root, path), { recursive: true });
    call('mount', '-t', 'tmpfs', '-o', 'mode=1777', 'tmpfs', join(root, path));
  }
}

/** A file or folder at another path as well. */
function show(source: string, target: string, mode: 'ro' | 'rw'): void {
  if (statSync(source).isDirectory()) mkdirSync(target, { recursive: true });
  else {
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, '', { flag: 'a' });
  }
  call('mount', '--bind', source, target);
  if (mode === 'ro') call('mount', '-o', 'remount,bind,ro', target);
}

function carryOut(root: string, step: ImageStep): void {
  if (step.kind === 'show') return show(step.source, join(root, step.target), 'ro');
  const { command, workdir, environment } = step;
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  call('chroot', root, 'env', '-i', '-C', workdir, ...variables, ...command);
}

function mountVolume(root: string, volume: ContainerVolume): void {
  const { source, isReadOnly, isNamed } = volume;
  const target = join(root, volume.target);
  if (isNamed && readdirSync(source).length === 0) {
    mkdirSync(target, { recursive: true });
    const { uid, gid, mode } = statSync(target);
    chownSync(source, uid, gid);
    chmodSync(source, mode & 0o7777);
  }
  show(source, target, isReadOnly ? 'ro' : 'rw');
}

/** Nothing of the machine's mounts is left but what was shown. */
function moveInto(root: string): void {
  const old = '.old-root';
  mkdirSync(join(root, old));
  process.chdir(root);
  call('pivot_root', '.', old);
  process.chdir('/');
  call('umount', '--lazy', `/${old}`);
  rmdirSync(`/${old}`);
}

function prepare(spec: ContainerSpec): void {
  const root = mountRoot(spec);
  mountSystem(root, spec);
  for (const step of spec.steps) carryOut(root, step);
  show(spec.hostsFile, join(root, 'etc/hosts'), 'ro');
  for (const volume of spec.volumes) mountVolume(root, volume);
  moveInto(root);
  writeFileSync('/etc/hostname', `${spec.hostname}\n`);
  writeFileSync('/proc/sys/kernel/hostname', spec.hostname);
  if (spec.isReadOnly) call('mount', '-o', 'remount,ro', '/');
}

const spec = JSON.parse(process.argv[2]!) as ContainerSpec;
prepare(spec);
const command = [...privilegePrefix(spec), ...spec.command];
process.execve!(command[0]!, command, spec.environment);
