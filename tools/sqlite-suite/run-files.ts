// All files, some at a time: each job has its own side and takes the next file when it is done.

import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import type { Fixture, SuiteFile } from './fixture.ts';
import { runFile } from './run-file.ts';
import type { Side, SideOptions } from './side.ts';
import { makeTestFolder } from './test-user.ts';
import type { Verdict } from './verdict.ts';

export interface FilesRun {
  readonly fixture: Fixture;
  readonly open: (options: SideOptions) => Side;
  /** Folders for the tests are made there. */
  readonly workFolder: string;
  /** What each file prints is kept there. */
  readonly outputFolder: string;
  readonly jobCount: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onVerdict: (verdict: Verdict, doneCount: number) => void;
}

export async function runFiles(files: readonly SuiteFile[], run: FilesRun): Promise<void> {
  if (files.length === 0) return;
  mkdirSync(run.outputFolder, { recursive: true });
  const work = mkdtempSync(join(run.workFolder, 'skein-sqlite-suite-'));
  // The tests run as another user, who must get to the folders inside.
  chmodSync(work, 0o755);
  const queue = files.values();
  let doneCount = 0;
  const job = async (home: string, logPath: string): Promise<void> => {
    await using side = run.open({ home, logPath });
    for (const file of queue) {
      appendFileSync(logPath, `── ${file.name}\n`);
      const verdict = await runFile({
        fixture: run.fixture,
        file,
        folder: await side.freshFolder(),
        scratch: makeTestFolder(join(home, 'scratch')),
        outputPath: join(run.outputFolder, `${file.name.replaceAll('/', '-')}.txt`),
        timeoutMs: run.timeoutMs,
        signal: run.signal,
        unblock: () => side.abandon(),
      });
      doneCount += 1;
      run.onVerdict(verdict, doneCount);
    }
  };
  try {
    const jobs = Array.from({ length: run.jobCount }, (_, i) =>
      job(join(work, String(i)), join(run.outputFolder, `daemon-${i}.log`)),
    );
    // All end before their folders go, also when one fails.
    const failure = (await Promise.allSettled(jobs)).find(({ status }) => status === 'rejected');
    if (failure?.status === 'rejected') throw failure.reason;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
