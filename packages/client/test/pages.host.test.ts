// The pages about the client library: the blocks of each run as one program, on one node without
// Skein, and print what the page says behind `console.log(…)`, or in the comments after it.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { SOURCE_FLAGS, tempDir } from '@skein/testkit';

const DOCS = join(import.meta.dirname, '..', '..', '..', 'docs');
const PAGES = readdirSync(DOCS).filter((name) =>
  /^(?:client|frameworks-.+|orm-.+)\.md$/.test(name),
);
const TIMEOUT_MS = 180_000;

const BLOCK = /^```ts\n(.*?)^```$/gms;
const CALL = /^(\s*)(?:.*\s)?console\.log\(/;
/** What a line prints: behind it, or in lines of comments below it. */
const BEHIND = /; \/\/ (.+)$/;
const BELOW = /^\s*\/\/ (.+)$/;

function programOf(page: string): string {
  const text = readFileSync(join(DOCS, page), 'utf8');
  return [...text.matchAll(BLOCK)].map(([, code]) => code).join('');
}

function expectedOf(program: string): string[] {
  const expected: string[] = [];
  let isBelow = false;
  for (const line of program.split('\n')) {
    const behind = CALL.test(line) ? BEHIND.exec(line)?.[1] : undefined;
    const below: string | undefined = isBelow ? BELOW.exec(line)?.[1] : undefined;
    if (behind !== undefined) expected.push(behind);
    if (below !== undefined) expected.push(below);
    isBelow = (CALL.test(line) && behind === undefined) || below !== undefined;
  }
  return expected;
}

describe('The code on', () => {
  for (const page of PAGES) {
    test(`${page} runs, and prints what it says`, (t) => {
      const program = programOf(page);
      const expected = expectedOf(program);
      assert.ok(expected.length > 0, 'A page shows what comes of its code');
      const args = [...SOURCE_FLAGS, '--input-type=module-typescript', '-e', program];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, {
        cwd: import.meta.dirname,
        encoding: 'utf8',
        timeout: TIMEOUT_MS,
        env: {
          ...process.env,
          SKEIN_ENABLED: 'false',
          SKEIN_MOUNT_PATH: tempDir(t),
          SKEIN_DATABASE_NAME: 'app.db',
        },
      });
      assert.equal(status, 0, stderr);
      const printed = stdout.split('\n').filter((line) => line !== '');
      assert.deepEqual(printed, expected);
    });
  }
});
