// The walk-through of examples/messages, command by command from its README, with what `npm start`
// runs. It is done in a copy of the checkout, since one of the steps is to change the schema.

import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';

import {
  freePortsInARow,
  onTestEnd,
  requirePart,
  tempDir,
  waitUntil,
  watchMounts,
} from '@skein/testkit';

import { parseWalkthrough, runInShell, runStep, shows, stepsFor } from '../lib/walkthrough.ts';

const ROOT = dirname(dirname(import.meta.dirname));
const TIMEOUT_MS = 1_200_000;
const UP_TIMEOUT_MS = 600_000;
/** Of the nodes that the README has, and of the one that it adds. */
const [PORT] = (await freePortsInARow(4)) as [number, ...number[]];
/** As the README has it. */
const README_PORT = 8001;

/** What a clone has, with the packages that are installed here. */
function copyCheckout(t: TestContext): string {
  const copy = join(realpathSync(tempDir(t)), 'skein');
  const files = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    {
      cwd: ROOT,
      encoding: 'utf8',
    },
  );
  for (const path of files.split('\0')) {
    if (!/^(?:tools|examples\/messages)\/|^package[\w-]*\.json$/.test(path)) continue;
    cpSync(join(ROOT, path), join(copy, path));
  }
  const modules = join(copy, 'node_modules');
  mkdirSync(modules);
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (!name.startsWith('.')) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  symlinkSync(join(ROOT, 'packages'), join(copy, 'packages'));
  // They are those of the lock file: nothing is to be installed.
  const lock = readFileSync(join(copy, 'package-lock.json'));
  writeFileSync(join(modules, '.lock-hash'), createHash('sha256').update(lock).digest('hex'));
  return copy;
}

/** What `npm start` runs, with a command or two of it at a time. */
class Demo {
  readonly #cwd: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #running: ChildProcess[] = [];

  constructor(cwd: string, env: NodeJS.ProcessEnv) {
    this.#cwd = cwd;
    this.#env = env;
  }

  /** Resolves with what it prints until it serves. What ran before ends, as by Ctrl-C. */
  async start(command: string): Promise<string> {
    const isAdded = command.includes('--add');
    if (!isAdded) await this.stop();
    const [, options = ''] = command.split(' -- ');
    const port = isAdded ? [] : ['--port', String(PORT)];
    const args = ['start', '--', ...options.split(' ').filter((word) => word !== ''), ...port];
    const child = spawn('npm', args, {
      cwd: this.#cwd,
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#running.push(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (bytes: Buffer) => (output += bytes.toString()));
    }
    const isUp = (): boolean => {
      assert.equal(child.exitCode, null, output);
      return output.includes('Ctrl-C ends it');
    };
    await waitUntil(`${command} serves`, isUp, UP_TIMEOUT_MS).catch((cause: Error) => {
      throw new Error(`${cause.message}\n${output}`, { cause });
    });
    return output;
  }

  async stop(): Promise<void> {
    for (const child of this.#running.splice(0).toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'exit');
      // To all of its process group, as a terminal sends it.
      process.kill(-child.pid!, 'SIGINT');
      await ended;
    }
  }
}

/** Ports of this run for those of the README, and the other way round. */
function ours(command: string): string {
  return command.replaceAll(/\b800[1-4]\b/g, (port) => String(Number(port) - README_PORT + PORT));
}

function theReadmes(output: string): string {
  let text = output;
  for (let i = 0; i < 4; i += 1) text = text.replaceAll(String(PORT + i), String(README_PORT + i));
  return text;
}

test('the walk-through of the README, with npm start', async (t) => {
  if (!requirePart(t, 'fuse', 'root', 'curl', 'sqlite3')) return;
  const cwd = copyCheckout(t);
  watchMounts(t, cwd, TIMEOUT_MS);
  // Node as it runs here, whatever else is installed.
  const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH']}`;
  const env = { ...process.env, PATH: path, INIT_CWD: cwd };
  const demo = new Demo(cwd, env);
  onTestEnd(t, () => demo.stop());
  const readme = readFileSync(join(cwd, 'examples', 'messages', 'README.md'), 'utf8');
  const steps = stepsFor('npm', parseWalkthrough(readme));
  assert(steps.length > 20, `Only ${steps.length} steps`);
  for (const step of steps) {
    if (step.command.startsWith('npm start')) {
      const output = theReadmes(await demo.start(step.command));
      assert(shows(output, step.expected), `Line ${step.line}: ${step.command}\n${output}`);
      continue;
    }
    await runStep(step, async (command) => {
      const { output, status } = await runInShell(ours(command), { cwd, env });
      return { output: theReadmes(output), status };
    });
  }
});
