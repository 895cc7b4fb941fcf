// Runs any of the project's commands on any machine that has some Node (18 or newer): brings the
// pinned Node and the dependencies if they are missing, then hands over to tools/<command>.ts.
//
// Plain JavaScript without dependencies, because it runs before anything else is there.

import { spawnSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MIN = [22, 18];
const NODE_PINNED = '24.21.0';
const COMMANDS = [
  'start',
  'createsuperuser',
  'makemigrations',
  'migrate',
  'test',
  'bench',
  'fix',
  'api-reference',
  'fuzz',
  'lake',
  'skein',
  'sqlite-suite',
  'tidy',
];

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
}

/** npm as a script of the Node that runs us, so that it picks packages for the right Node. */
function runNpm(node, args, what) {
  const path = `${dirname(node)}${delimiter}${process.env.PATH ?? ''}`;
  const npm = process.env.npm_execpath;
  const [command, prefix] = npm?.endsWith('.js') ? [node, [npm]] : ['npm', []];
  const result = spawnSync(command, [...prefix, ...args], {
    cwd: root,
    env: { ...process.env, PATH: path, npm_config_loglevel: 'error' },
    stdio: ['ignore', 2, 2],
  });
  if (result.status !== 0) {
    fail(`Cannot install ${what}: npm ${args[0]} failed (is a package registry reachable?)`);
  }
}

/**
 * Path of a Node that is new enough: this one, or the pinned one in .tools/, fetched if need be.
 */
function findNode() {
  if (isNewEnough(process.versions.node)) return process.execPath;
  const home = join(root, '.tools', `node-${NODE_PINNED}`);
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const node = join(home, 'node_modules', name, 'bin', 'node');
  if (!existsSync(node)) {
    process.stderr.write(`Installing Node ${NODE_PINNED} (this one is ${process.version}) …\n`);
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'package.json'), '{ "private": true }\n');
    const what = `Node ${NODE_PINNED}`;
    const args = ['install', '--prefix', home, '--no-package-lock', `${name}@${NODE_PINNED}`];
    runNpm(process.execPath, args, what);
    if (!existsSync(node)) fail(`Cannot install ${what}: there is no package ${name}`);
  }
  return node;
}

/** Installs the dependencies unless node_modules was made from this very lock file. */
function installDependencies(node) {
  const lock = readFileSync(join(root, 'package-lock.json'));
  const wanted = createHash('sha256').update(lock).digest('hex');
  const stamp = join(root, 'node_modules', '.lock-hash');
  const isInstalled = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted;
  if (isInstalled()) return;
  alone(() => {
    if (isInstalled()) return;
    process.stderr.write('Installing dependencies …\n');
    rmSync(stamp, { force: true });
    runNpm(node, ['ci'], 'the dependencies');
    writeFileSync(stamp, wanted);
  });
}

/** Two that install at once, in two terminals, would take away each other's files. */
function alone(work) {
  const path = join(root, '.tools', 'installing');
  mkdirSync(dirname(path), { recursive: true });
  while (!tryWritePid(path)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  try {
    work();
  } finally {
    rmSync(path, { force: true });
  }
}

/** False while a process that lives has written its number. */
function tryWritePid(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  if (!isAlive(maybeReadPid(path))) rmSync(path, { force: true });
  return false;
}

/** NaN while it is being written, or when it has just gone. */
function maybeReadPid(path) {
  try {
    return Number.parseInt(readFileSync(path, 'utf8'), 10);
  } catch {
    return Number.NaN;
  }
}

function isAlive(pid) {
  if (Number.isNaN(pid)) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function main() {
  const [command, ...args] = process.argv.slice(2);
  if (!COMMANDS.includes(command)) fail(`Usage: node tools/run.mjs ${COMMANDS.join(' | ')}`);
  const node = findNode();
  installDependencies(node);
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` };
  const script = join(root, 'tools', `${command}.ts`);
  const flags = ['--conditions=@skein/source', '--disable-warning=ExperimentalWarning'];
  const child = spawn(node, [...flags, script, ...args], { env, stdio: 'inherit' });
  // The child decides how to end; a terminal sends Ctrl-C to both of us, a supervisor only to us.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (!process.stdin.isTTY || signal !== 'SIGINT') child.kill(signal);
    });
  }
  child.on('exit', (code, signal) => {
    process.exit(signal === null ? code : 128 + constants.signals[signal]);
  });
}

main();
