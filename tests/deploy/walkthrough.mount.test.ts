// The walk-through of examples/messages, command by command from its README, with the services of
// its compose file. It is done in a copy of the checkout, since some of its steps are edits.

import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { requirePart, SOURCE_FLAGS, tempDir } from '@skein/testkit';

import { openComposeShell } from '../lib/compose/compose-shell.ts';
import { openProject } from '../lib/compose/project.ts';
import { parseWalkthrough, runStep, stepsFor } from '../lib/walkthrough.ts';

const ROOT = dirname(dirname(import.meta.dirname));
/** What is copied; everything else is where it is. */
const COPIED = /^(?:tools|examples\/messages)\/|^package[\w-]*\.json$/;

/** Stands for npm, which would install packages: `npm --prefix … run NAME -- ARGS`. */
const NPM = `#!${process.execPath}
const [name, ...args] = process.argv.slice(process.argv.indexOf('run') + 1);
const { join } = require('node:path');
const script = join(process.cwd(), '..', '..', 'tools', name + '.ts');
const own = args.filter((arg) => arg !== '--');
const command = [...${JSON.stringify(SOURCE_FLAGS)}, script, ...own];
const { spawnSync } = require('node:child_process');
process.exitCode = spawnSync(process.execPath, command, { stdio: 'inherit' }).status;
`;

function copyCheckout(t: TestContext): string {
  const copy = join(realpathSync(tempDir(t)), 'skein');
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const paths = execFileSync('git', list, { cwd: ROOT, encoding: 'utf8' }).split('\0');
  for (const path of paths) if (COPIED.test(path)) cpSync(join(ROOT, path), join(copy, path));
  for (const name of ['packages', 'node_modules']) symlinkSync(join(ROOT, name), join(copy, name));
  return copy;
}

test('the walk-through of the README, with Docker Compose', async (t) => {
  if (!requirePart(t, 'fuse', 'root', 'curl')) return;
  const folder = join(copyCheckout(t), 'examples', 'messages');
  const file = join(folder, 'docker-compose.yml');
  const profiles = ['nginx', 'haproxy'];
  const project = await openProject(t, { file, isOwn: true, profiles });
  if (project === undefined) return;
  const run = await openComposeShell(t, project, { npm: NPM });
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  for (const step of stepsFor('compose', parseWalkthrough(readme))) {
    await t.test(`${step.heading}: ${step.command.split('\n')[0]}`, () => runStep(step, run));
  }
});
