// SQLite's own test program, built from Debian's source package of sqlite3: the tests and the
// library under test are those that Debian ships, with Debian's patches.
//
// Kept in one folder, so that it is built once. The list of package sources is one of our own, in
// that folder: what the machine installs from stays as it is.

import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join, relative } from 'node:path';

import { patchHarness } from './harness-patches.ts';
import { testUser } from './test-user.ts';

/** Program that shows a package is there, and the package. */
const NEEDS = [
  ['dpkg-source', 'dpkg-dev'],
  ['gcc', 'build-essential'],
  ['make', 'build-essential'],
  ['tclsh', 'tcl-dev'],
] as const;

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const MIRROR = 'http://deb.debian.org/debian';

export interface Fixture {
  readonly program: string;
  /** What the program takes before the work folder and the file. */
  readonly args: readonly string[];
  /** "sqlite3-3.40.1". */
  readonly version: string;
  readonly files: readonly SuiteFile[];
}

export interface SuiteFile {
  /** "test/select1.test", "ext/fts5/test/fts5aa.test". */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
}

/** Builds the test program in `home` unless it is there, and lists the files of `suite`. */
export function prepareFixture(home: string, suite: string): Fixture {
  mkdirSync(home, { recursive: true });
  const source = findSource(home) ?? fetchSource(home);
  const program = join(source, 'testfixture');
  if (!existsSync(program)) build(source);
  checkReach(program);
  // The test user may not get to where this file is.
  const script = join(home, 'suite.tcl');
  copyFileSync(join(import.meta.dirname, 'suite.tcl'), script);
  const args = [script, suite, join(source, 'test')];
  const paths = listFiles(program, args, join(home, 'list-files'));
  const files = paths.map((path) => ({ name: relative(source, path), path }));
  return { program, args, version: basename(source), files };
}

function findSource(home: string): string | undefined {
  const name = readdirSync(home, { withFileTypes: true }).find(
    (entry) => entry.isDirectory() && entry.name.startsWith('sqlite3-'),
  )?.name;
  return name === undefined ? undefined : join(home, name);
}

/** The source is in its place only when it is whole. */
function fetchSource(home: string): string {
  installNeeds();
  const place = join(home, 'fetched');
  rmSync(place, { recursive: true, force: true });
  const lists = join(place, 'apt-lists');
  mkdirSync(join(lists, 'partial'), { recursive: true });
  const list = join(place, 'sources.list');
  writeFileSync(list, `deb-src [signed-by=${KEYRING}] ${MIRROR} ${debianRelease()} main\n`);
  const options = [
    ['-o', `Dir::Etc::SourceList=${list}`],
    ['-o', 'Dir::Etc::SourceParts=/dev/null'],
    ['-o', `Dir::State::Lists=${lists}`],
    ['-o', 'APT::Sandbox::User=root'],
  ].flat();
  console.log('Fetching the source package of sqlite3 …');
  run(place, 'apt-get', [...options, '--quiet=2', 'update']);
  run(place, 'apt-get', [...options, '--quiet=2', 'source', 'sqlite3']);
  const fetched = findSource(place);
  if (fetched === undefined) throw new Error('Cannot find what apt-get source sqlite3 unpacked');
  patchHarness(join(fetched, 'test'));
  const source = join(home, basename(fetched));
  renameSync(fetched, source);
  rmSync(place, { recursive: true });
  return source;
}

function installNeeds(): void {
  const isMissing = (program: string): boolean => spawnSync('which', [program]).status !== 0;
  const missing = new Set(NEEDS.filter(([program]) => isMissing(program)).map(([, name]) => name));
  if (!existsSync('/usr/include/tcl')) missing.add('tcl-dev');
  if (missing.size === 0) return;
  console.log(`Installing ${[...missing].join(', ')} …`);
  run('/', 'apt-get', ['--quiet=2', 'update']);
  run('/', 'apt-get', ['--quiet=2', '--yes', 'install', ...missing]);
}

/** "bookworm". */
function debianRelease(): string {
  const release = readFileSync('/etc/os-release', 'utf8');
  const name = /^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1];
  if (name === undefined) throw new Error('Cannot build the fixture: this is not Debian');
  return name;
}

function build(source: string): void {
  console.log(`Building ${source}/testfixture (1 to 2 minutes) …`);
  run(source, './configure', ['--enable-all']);
  run(source, 'make', [`--jobs=${availableParallelism()}`, 'testfixture']);
}

/** The tests run as another user, who must be able to read all this. */
function checkReach(program: string): void {
  const { error } = spawnSync(program, [], { ...testUser(), input: '' });
  if (error === undefined) return;
  throw new Error(`User nobody cannot run ${program}: name a folder within reach by --home`);
}

function listFiles(program: string, args: readonly string[], work: string): string[] {
  mkdirSync(work, { recursive: true });
  const output = run(work, program, [...args, work]);
  rmSync(work, { recursive: true });
  return [...output.matchAll(/^FILE (.*)$/gm)].map(([, path]) => path!);
}

/** Runs a program to its end; its output is shown only when it fails. */
function run(cwd: string, program: string, args: readonly string[]): string {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' };
  const result = spawnSync(program, args, { cwd, env, encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (result.status === 0) return result.stdout;
  const output = `${result.stdout}${result.stderr}`.trimEnd().split('\n').slice(-20).join('\n');
  throw new Error(`${program} ${args.join(' ')} failed:\n${output}`, { cause: result.error });
}
