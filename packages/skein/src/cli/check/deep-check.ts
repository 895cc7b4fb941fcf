// Every byte of a data folder, verified and perhaps repaired.

import {
  checkDeep,
  type CheckOptions,
  type CheckReport,
  type Finding,
  repair,
  type RepairReport,
} from '@skein/engine';
import {
  formatCount,
  formatSize,
  nodeDisk,
  nodeFileLocks,
  systemClock,
  systemRandom,
} from '@skein/host';
import { formatTxid, toTxid } from '@skein/ltx';

export interface DeepReport extends Omit<CheckReport, 'findings'> {
  /** What is still not in order. */
  readonly findings: readonly DeepFinding[];
  /** What was not in order and has been repaired. */
  readonly repaired: readonly DeepFinding[];
  /** Where the originals of all that was replaced are. */
  readonly savedTo?: string;
}

/** As Finding, fit for JSON. */
export interface DeepFinding extends Omit<Finding, 'txid'> {
  readonly txid?: string;
}

/** Throws EngineError when there is no data folder, or a node runs on it. */
export function runDeepCheck(options: CheckOptions, mayRepair: boolean): DeepReport {
  const ports = { disk: nodeDisk, fileLocks: nodeFileLocks };
  if (!mayRepair) return toDeepReport(checkDeep(ports, options));
  return ofRepair(repair({ ...ports, clock: systemClock, random: systemRandom }, options));
}

/** Whether something that was durable is lost or in doubt. */
export function isDamaged({ findings }: DeepReport): boolean {
  return findings.some(({ kind }) => kind === 'damage');
}

export function drawDeepReport(report: DeepReport): string {
  const { databaseCount, transactionCount, readBytes, findings, repaired, savedTo } = report;
  const databases = formatCount(databaseCount, 'database');
  const transactions = formatCount(transactionCount, 'transaction');
  return [
    ...repaired.map((finding) => drawFinding(finding, 'repaired')),
    ...findings.map((finding) => drawFinding(finding, finding.kind)),
    ...(savedTo === undefined ? [] : [`The originals of what was replaced are in ${savedTo}\n`]),
    `Read ${formatSize(readBytes)}: ${databases}, ${transactions} in the log, `,
    `${describe(findings)}\n`,
  ].join('');
}

function describe(findings: readonly DeepFinding[]): string {
  if (findings.length === 0) return 'all in order';
  const damage = findings.filter(({ kind }) => kind === 'damage').length;
  return `${damage} damaged, ${findings.length - damage} left alone`;
}

function drawFinding(
  { file, what, repair: remedy, hint, ...place }: DeepFinding,
  label: string,
): string {
  const { database, txid, lsn, pgno } = place;
  const names = [
    ['database', database],
    ['transaction', txid],
    ['record', lsn],
    ['page', pgno],
  ] as const;
  const shown = names.filter(([, value]) => value !== undefined);
  const where = shown.length === 0 ? '' : ` (${shown.map((pair) => pair.join(' ')).join(', ')})`;
  const lines = [`${label}: ${file}: ${what}${where}`];
  if (remedy !== undefined && label !== 'repaired') lines.push(`  can be repaired: ${remedy}`);
  if (remedy !== undefined && label === 'repaired') lines.push(`  ${remedy}`);
  if (hint !== undefined) lines.push(`  ${hint}`);
  return `${lines.join('\n')}\n`;
}

function ofRepair({ before, after, savedTo }: RepairReport): DeepReport {
  const left = new Set(after.findings.map(keyOf));
  const repaired = before.findings.filter((finding) => !left.has(keyOf(finding)));
  return {
    ...toDeepReport(after),
    repaired: repaired.map(toDeepFinding),
    ...(savedTo === undefined ? {} : { savedTo }),
  };
}

function toDeepReport(report: CheckReport): DeepReport {
  return { ...report, findings: report.findings.map(toDeepFinding), repaired: [] };
}

function toDeepFinding({ txid, ...finding }: Finding): DeepFinding {
  return txid === undefined ? finding : { ...finding, txid: formatTxid(toTxid(txid)) };
}

function keyOf(finding: Finding): string {
  return JSON.stringify(toDeepFinding(finding));
}
