// The judgement over all files: which came to the same on both sides, and whether that is enough.

import { formatRows } from '@skein/testkit';

import type { Exceptions } from './exceptions.ts';
import { isEqualVerdict, type Verdict } from './verdict.ts';

/** Of all files, those that cannot apply included. */
const EQUAL_SHARE_MIN = 0.9;
const FAILED_NAMES_MAX = 4;

export interface Comparison {
  readonly file: string;
  readonly bare: Verdict;
  readonly mount: Verdict;
  readonly isEqual: boolean;
  /** Why the file cannot come to the same, if it is known that it cannot. */
  readonly exception?: string;
}

export interface Summary {
  readonly fileCount: number;
  readonly equalCount: number;
  readonly equalShare: number;
  readonly testCount: number;
  /** Tests of the files that are equal. */
  readonly equalTestCount: number;
  /** Files that differ and have no reason to. */
  readonly unexplained: readonly string[];
  /** Files with a reason to differ that do not: the reason is out of date. */
  readonly needless: readonly string[];
  readonly isPassed: boolean;
}

export function compare(bare: Verdict, mount: Verdict, exceptions: Exceptions): Comparison {
  const { file } = bare;
  const exception = exceptions[file];
  const isEqual = isEqualVerdict(bare, mount);
  return { file, bare, mount, isEqual, ...(exception !== undefined && { exception }) };
}

export function summarize(comparisons: readonly Comparison[]): Summary {
  const equal = comparisons.filter(({ isEqual }) => isEqual);
  const explained = comparisons.filter(({ exception }) => exception !== undefined);
  const unexplained = comparisons.filter((each) => !each.isEqual && each.exception === undefined);
  const equalShare = equal.length / comparisons.length;
  return {
    fileCount: comparisons.length,
    equalCount: equal.length,
    equalShare,
    testCount: sumOf(comparisons),
    equalTestCount: sumOf(equal),
    unexplained: unexplained.map(({ file }) => file),
    needless: explained.filter(({ isEqual }) => isEqual).map(({ file }) => file),
    isPassed: unexplained.length === 0 && equalShare >= EQUAL_SHARE_MIN,
  };
}

function sumOf(comparisons: readonly Comparison[]): number {
  return comparisons.reduce((sum, { bare }) => sum + bare.testCount, 0);
}

/** The files that differ, a row each. */
export function formatDifferences(comparisons: readonly Comparison[]): string {
  const rows = comparisons
    .filter(({ isEqual }) => !isEqual)
    .map(({ file, bare, mount, exception }) => [
      file,
      describe(bare),
      describe(mount),
      exception ?? `NO REASON KNOWN: ${describeFailures(mount, bare)}`,
    ]);
  if (rows.length === 0) return '';
  return formatRows([['file', 'bare', 'mount', 'why'], ...rows], [0, 3]);
}

export function formatSummary(summary: Summary): string {
  const { fileCount, equalCount, equalShare, testCount, equalTestCount } = summary;
  const percent = (equalShare * 100).toFixed(1);
  const lines = [
    `${equalCount} of ${fileCount} files are equal: ${percent} %`,
    `At least ${EQUAL_SHARE_MIN * 100} % have to be`,
    `${equalTestCount} of ${testCount} tests are in them`,
    `${summary.unexplained.length} files differ without a known reason`,
  ];
  if (summary.needless.length > 0) {
    lines.push(`Equal although listed in exceptions.ts: ${summary.needless.join(', ')}`);
  }
  return `${lines.join('\n')}\n`;
}

/** "192", "3 of 192 failed", "timeout after 12". */
function describe({ end, testCount, errorCount }: Verdict): string {
  const failures = errorCount === 0 ? '' : `${errorCount} failed of `;
  return end === 'ended' ? `${failures}${testCount}` : `${end} after ${failures}${testCount}`;
}

/** What failed on the mount only. */
function describeFailures(mount: Verdict, bare: Verdict): string {
  const known = new Set(bare.failed);
  const names = mount.failed.filter((name) => !known.has(name));
  const more = names.length > FAILED_NAMES_MAX ? ' …' : '';
  return names.slice(0, FAILED_NAMES_MAX).join(' ') + more;
}
