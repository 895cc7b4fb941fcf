// One test file in one process of testfixture.

import { spawn } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';
import { finished } from 'node:stream/promises';

import type { Fixture, SuiteFile } from './fixture.ts';
import { testUser } from './test-user.ts';
import { readVerdict, type Verdict } from './verdict.ts';

export interface FileRun {
  readonly fixture: Pick<Fixture, 'program' | 'args'>;
  readonly file: SuiteFile;
  /** The folder that the tests work in: empty, and the user's. */
  readonly folder: string;
  /** Another folder of the user's, for files that are no databases. */
  readonly scratch: string;
  /** Everything the test prints. */
  readonly outputPath: string;
  readonly timeoutMs: number;
  /** Gives up. */
  readonly signal: AbortSignal;
}

export async function runFile(run: FileRun): Promise<Verdict> {
  const output = createWriteStream(run.outputPath);
  const started = performance.now();
  const { program, args } = run.fixture;
  const child = spawn(program, [...args, run.folder, run.file.path], {
    ...testUser(),
    // Its own process group: what a test starts ends with it.
    detached: true,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C.UTF-8', HOME: run.scratch },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = (): void => killGroup(child.pid);
  let isTimeout = false;
  const timer = setTimeout(() => {
    isTimeout = true;
    kill();
  }, run.timeoutMs);
  run.signal.addEventListener('abort', kill);
  child.stdout.pipe(output, { end: false });
  child.stderr.pipe(output, { end: false });
  await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearTimeout(timer);
  run.signal.removeEventListener('abort', kill);
  kill();
  output.end();
  await finished(output);
  run.signal.throwIfAborted();
  return readVerdict({
    file: run.file.name,
    output: readFileSync(run.outputPath, 'latin1'),
    isTimeout,
    durationMs: Math.round(performance.now() - started),
  });
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}
