// What a test file of SQLite's suite came to, read off the output of testfixture, and whether two
// sides agree on it.

export interface Verdict {
  /** As SuiteFile.name. */
  readonly file: string;
  readonly end: 'ended' | 'crashed' | 'timeout';
  readonly testCount: number;
  readonly errorCount: number;
  /** As the output lists them: sorted, each once. */
  readonly failed: readonly string[];
  /** Where it did not end by itself: the last lines of its output. */
  readonly lastLines?: string;
  readonly durationMs: number;
}

export interface Outcome {
  readonly file: string;
  readonly output: string;
  readonly isTimeout: boolean;
  readonly durationMs: number;
}

/** tester.tcl, finalize_testing. */
const SUMMARY = /^(\d+) errors out of (\d+) tests on /m;
const FAILURES = /^!Failures on these tests: (.*)$/m;
const LAST_LINES = 12;

/** The start of every test, whether it prints "Ok" after it or not. */
const STARTED = /^([\w.,:{}()=*+-]+)\.\.\./gm;
const EXPECTED = /^! (\S+) expected: /gm;

export function readVerdict({ file, output, isTimeout, durationMs }: Outcome): Verdict {
  const summary = SUMMARY.exec(output);
  if (summary === null || isTimeout) {
    return {
      file,
      end: isTimeout ? 'timeout' : 'crashed',
      testCount: [...output.matchAll(STARTED)].length,
      errorCount: [...output.matchAll(EXPECTED)].length,
      failed: unique([...output.matchAll(EXPECTED)].map((match) => match[1]!)),
      lastLines: output.trimEnd().split('\n').slice(-LAST_LINES).join('\n'),
      durationMs,
    };
  }
  const failed = FAILURES.exec(output)?.[1]?.split(' ') ?? [];
  const [, errorCount, testCount] = summary.map(Number);
  return {
    file,
    end: 'ended',
    testCount: testCount!,
    errorCount: errorCount!,
    failed: unique(failed),
    durationMs,
  };
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names.filter((name) => name !== ''))].sort();
}

/** Whether two sides came to the same: as many tests, and the same ones failed. */
export function isEqualVerdict(first: Verdict, second: Verdict): boolean {
  return (
    first.end === second.end &&
    first.testCount === second.testCount &&
    first.errorCount === second.errorCount &&
    first.failed.join(' ') === second.failed.join(' ')
  );
}
