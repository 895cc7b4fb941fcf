import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';

import { parsePositive } from './command-line.ts';
import { SOURCE_FLAGS } from './source-flags.ts';

const MODULE = JSON.stringify(new URL('command-line.ts', import.meta.url).href);

describe('parsePositive()', () => {
  test('takes whole numbers from 1 on and nothing else', () => {
    assert.equal(parsePositive('rounds', '12'), 12);
    for (const text of ['0', '-1', '1.5', 'many', '']) {
      assert.throws(() => parsePositive('rounds', text), /^RangeError: Expected --rounds .*from 1/);
    }
  });
});

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function runProgramText(program: string, argv: readonly string[] = []): Outcome {
  const args = [...SOURCE_FLAGS, '--input-type=module', '--eval', program, '--', 'x', ...argv];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('runCommand()', () => {
  const run = (main: string): Pick<Outcome, 'status' | 'stderr'> => {
    const { status, stderr } = runProgramText(`import { parseArgs } from 'node:util';
      import { runCommand } from ${MODULE};
      await runCommand(async () => { ${main} });`);
    return { status, stderr };
  };

  test('tells a mistake on the command line by its message alone', () => {
    const badValue = run(`throw new RangeError('Expected --x to be less');`);
    assert.deepEqual(badValue, { status: 2, stderr: 'Expected --x to be less\n' });
    const unknown = run(`parseArgs({ args: ['--novelty'], options: {} });`);
    assert.equal(unknown.status, 2);
    assert.match(unknown.stderr, /^Unknown option '--novelty'[^\n]*\n$/);
  });

  test('shows where a bug is', () => {
    const { status, stderr } = run(`undefined.x;`);
    assert.equal(status, 1);
    assert.match(stderr, /TypeError: .*\n\s+at /);
  });

  test('leaves a command that works alone', () => {
    assert.deepEqual(run('process.exitCode = 3;'), { status: 3, stderr: '' });
  });
});

describe('runProgram()', () => {
  const run = (main: string, argv: readonly string[] = []): Outcome =>
    runProgramText(
      `import { runProgram } from ${MODULE};
      await runProgram('Usage: x\\n', async () => { ${main} });`,
      argv,
    );

  test('tells its use, and of an error the message alone', () => {
    const help = { status: 0, stdout: 'Usage: x\n', stderr: '' };
    for (const word of ['--help', '-h']) assert.deepEqual(run('undefined.x', [word]), help);
    const failed = { status: 1, stdout: '', stderr: 'node1 has ended\n' };
    assert.deepEqual(run(`throw new Error('node1 has ended');`), failed);
    const wrong = { status: 2, stdout: '', stderr: 'Expected less\n' };
    assert.deepEqual(run(`throw new RangeError('Expected less');`), wrong);
  });
});
