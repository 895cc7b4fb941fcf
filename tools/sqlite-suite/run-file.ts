// One test file in one process of testfixture.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

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
  /** Frees a process that waits for a file in its folder, and so cannot even be killed. */
  readonly unblock: () => Promise<void>;
}

/** A process that waits for nobody is gone long before this. */
const KILL_TIMEOUT_MS = 5_000;

/** Rejects when `signal` is aborted, once the process is gone. */
export async function runFile(run: FileRun): Promise<Verdict> {
  const { outputPath, signal, timeoutMs } = run;
  const output = createWriteStream(outputPath);
  const startedMs = performance.now();
  const timeout = AbortSignal.timeout(timeoutMs);
  const child = spawnTest(run);
  child.stdout.pipe(output, { end: false });
  child.stderr.pipe(output, { end: false });
  await waitForEnd(child, AbortSignal.any([signal, timeout]), run.unblock);
  output.end();
  await finished(output);
  signal.throwIfAborted();
  return readVerdict({
    file: run.file.name,
    output: readFileSync(outputPath, 'latin1'),
    isTimeout: timeout.aborted,
    durationMs: Math.round(performance.now() - startedMs),
  });
}

type TestProcess = ChildProcessByStdio<null, Readable, Readable>;

function spawnTest({ fixture, file, folder, scratch }: FileRun): TestProcess {
  return spawn(fixture.program, [...fixture.args, folder, file.path], {
    ...testUser(),
    // Its own process group: what a test starts ends with it.
    detached: true,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C.UTF-8', HOME: scratch },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function waitForEnd(
  child: TestProcess,
  giveUp: AbortSignal,
  unblock: () => Promise<void>,
): Promise<void> {
  const closed = once(child, 'close');
  const kill = (): void => killGroup(child.pid!);
  const end = async (): Promise<void> => {
    kill();
    const isGone = await Promise.race([closed.then(() => true), sleep(KILL_TIMEOUT_MS, false)]);
    if (!isGone) await unblock();
  };
  let ending: Promise<void> | undefined;
  const begin = (): void => {
    ending = end();
  };
  giveUp.addEventListener('abort', begin, { once: true });
  await closed;
  await ending;
  // What it started and left behind.
  kill();
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}
