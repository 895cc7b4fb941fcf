// The small files of a data folder, what a crash leaves beside them, and what is not ours.

import { type Disk, DiskError } from '@skein/host';

import { maybeDecodeAtomic } from '../data-folder/atomic-file.ts';
import { readIdentity } from '../data-folder/node-file.ts';
import { maybeReadOwner } from '../data-folder/owner-file.ts';
import type { DatabaseState } from '../database/database-state.ts';
import { DamageError } from '../errors.ts';
import { findNameFault } from '../files/names.ts';
import { LOG_BOUNDS_NAME, type LogBounds, readLogBounds } from '../log/log-bounds.ts';
import { maybeParseSegmentName } from '../log/segment-header.ts';
import { readCheckpoint } from '../recovery/checkpoint-file.ts';
import { findBitByTrial } from '../recovery/flipped-bit.ts';
import type { Fault, Remedy } from './fault.ts';
import { flipRemedy } from './record-survey.ts';
import { SurveyFile, SurveyProgress } from './survey-file.ts';

/** Files and folders of a data folder; the sockets and `cluster.json` are the daemon's. */
const ROOT_NAMES = [
  'api.sock',
  'app.sock',
  'cluster.json',
  'damaged',
  'dbs',
  'lock',
  'log',
  'node.json',
  'scratch',
];
const DATABASE_NAMES = ['checkpoint.json', 'checksums', 'database', 'diverged', 'owner.json'];
const BESIDE_NAME = /^[0-9a-f]{16}\.ltx$/u;

/** Larger files are none of ours, whatever their name. */
const SMALL_BYTES_MAX = 65_536;

export interface SmallFileContext {
  readonly disk: Disk;
  /** The data folder. */
  readonly path: string;
  readonly report: (fault: Fault) => void;
}

export function surveyNode(context: SmallFileContext, isUsed: boolean): void {
  const { disk, path, report } = context;
  const identity = orDamaged(() => readIdentity(disk, path));
  if (typeof identity !== 'string' || (identity === 'missing' && !isUsed)) return;
  const remedy = maybeFlipSmall(context, 'node.json') ?? { kind: 'new-node' };
  report({ kind: 'damage', file: 'node.json', what: `it is ${identity}`, remedy });
}

export function surveyOwner(context: SmallFileContext, database: string): void {
  const { disk, path, report } = context;
  const file = `dbs/${database}/owner.json`;
  const folder = `${path}/dbs/${database}`;
  if (disk.stat('check.stat', `${path}/${file}`) === undefined) return;
  if (orDamaged(() => maybeReadOwner(disk, folder) ?? 'damaged') !== 'damaged') return;
  const remedy = maybeFlipSmall(context, file) ?? { kind: 'remove', file };
  const what = 'it is damaged: whose the database is cannot be told';
  report({ kind: 'damage', file, database, what, remedy });
}

/** What checkpoint.json of a database says, or why it says nothing. */
export function surveyCheckpoint(
  { disk, path }: SmallFileContext,
  database: string,
): DatabaseState | 'missing' | 'damaged' {
  return orDamaged(() => readCheckpoint(disk, `${path}/dbs/${database}`, database) ?? 'missing');
}

export function surveyBounds({ disk, path }: SmallFileContext): LogBounds | 'missing' | 'damaged' {
  return orDamaged(() => readLogBounds(disk, `${path}/log`));
}

/** What the disk cannot read is as good as damaged. */
function orDamaged<T>(read: () => T): T | 'damaged' {
  try {
    return read();
  } catch (error) {
    if (error instanceof DamageError || error instanceof DiskError) return 'damaged';
    throw error;
  }
}

/** Names of folders that may be those of databases. Reports what else there is. */
export function surveyNames(context: SmallFileContext): string[] {
  const { disk, path } = context;
  for (const name of listed(disk, path)) surveyName(context, name, ROOT_NAMES.includes(name));
  for (const name of listed(disk, `${path}/log`)) {
    const isOurs =
      name === 'spare' ||
      name === LOG_BOUNDS_NAME ||
      BESIDE_NAME.test(name) ||
      maybeParseSegmentName(name) !== undefined;
    surveyName(context, `log/${name}`, isOurs);
  }
  const databases: string[] = [];
  for (const name of listed(disk, `${path}/dbs`)) {
    const isDirectory = disk.stat('check.stat', `${path}/dbs/${name}`)?.isDirectory === true;
    if (isDirectory && findNameFault(name) === undefined) databases.push(name);
    else context.report({ kind: 'unknown', file: `dbs/${name}`, what: 'it is no database' });
  }
  for (const database of databases) {
    for (const name of listed(disk, `${path}/dbs/${database}`)) {
      surveyName(context, `dbs/${database}/${name}`, DATABASE_NAMES.includes(name));
    }
  }
  return databases;
}

/** Large transactions whose record never came. */
export function surveyBeside(context: SmallFileContext, named: ReadonlySet<bigint>): void {
  for (const name of listed(context.disk, `${context.path}/log`)) {
    if (!BESIDE_NAME.test(name) || named.has(BigInt(`0x${name.slice(0, 16)}`))) continue;
    const file = `log/${name}`;
    const what = 'no record names it: the transaction was not committed';
    context.report({ kind: 'leftover', file, what, remedy: { kind: 'remove', file } });
  }
}

/** The remedy for a small file in which one bit is wrong. */
export function maybeFlipSmall({ disk, path }: SmallFileContext, file: string): Remedy | undefined {
  const stat = disk.stat('check.stat', `${path}/${file}`);
  if (stat === undefined || stat.isDirectory || stat.sizeBytes > SMALL_BYTES_MAX) return undefined;
  const bytes = new Uint8Array(stat.sizeBytes);
  // A disk that cannot read the file leaves zeros, of which no bit makes it right.
  const opened = new SurveyFile(disk, `${path}/${file}`, new SurveyProgress(undefined));
  try {
    opened.read('check.read', bytes, 0, bytes.length, 0);
  } finally {
    opened.close();
  }
  const bit = findBitByTrial(bytes, (tried) => maybeDecodeAtomic(tried) !== undefined);
  return bit && flipRemedy(file, bytes[bit.offset]!, bit);
}

function surveyName({ report }: SmallFileContext, file: string, isOurs: boolean): void {
  if (isOurs) return;
  if (!file.endsWith('.tmp')) {
    report({ kind: 'unknown', file, what: 'it is no file of ours' });
    return;
  }
  const what = 'it was to replace another file when a crash came';
  report({ kind: 'leftover', file, what, remedy: { kind: 'remove', file } });
}

function listed(disk: Disk, path: string): string[] {
  return disk.stat('check.stat', path)?.isDirectory === true ? disk.list('check.list', path) : [];
}
