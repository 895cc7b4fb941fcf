// Names on the mount: which database a file belongs to, and as what.
//
// The mount is one flat folder. A name is a database unless its ending makes it a companion of one,
// with the endings that SQLite gives its files (https://sqlite.org/fileformat2.html, sections 1 to
// 4; "Super-Journal" in https://sqlite.org/tempfiles.html) and `-pos`, which is LiteFS's.

import { parseSuperJournalName } from '@skein/sqlite-file';

/**
 * What a file on the mount is.
 *
 * A `staging` file (its name starts with a dot) is what copying programs such as rsync write before
 * they rename it into place: it is no database until then, and never in the log.
 */
export type FileKind =
  | 'database'
  | 'journal'
  | 'wal'
  | 'shm'
  | 'position'
  | 'super-journal'
  | 'staging';

export interface FileName {
  readonly kind: FileKind;
  /** Name of the database that the file belongs to; its own for a database or a staging file. */
  readonly database: string;
}

/** NAME_MAX of Linux, in bytes. */
const NAME_BYTES_MAX = 255;

/** The longest ending that SQLite appends: that of a super-journal, `-mjXXXXXX9XX`. */
const SUFFIX_BYTES_MAX = 12;

/** A longer database name would leave no room for the names of its companions. */
export const DATABASE_NAME_BYTES_MAX: number = NAME_BYTES_MAX - SUFFIX_BYTES_MAX;

const SUFFIXES: ReadonlyArray<readonly [suffix: string, kind: FileKind]> = [
  ['-journal', 'journal'],
  ['-wal', 'wal'],
  ['-shm', 'shm'],
  ['-pos', 'position'],
];

const utf8 = new TextEncoder();

/** Why a name cannot be that of a database; undefined when it can. */
export function findNameFault(name: string): string | undefined {
  if (name === '' || name === '.' || name === '..') return 'it is not a file name';
  if (name.includes('/')) return 'it contains a slash';
  if (name.startsWith('.')) return 'it starts with a dot';
  if (/[\p{Control}\ufffd]/u.test(name)) return 'it contains control characters';
  const bytes = utf8.encode(name).length;
  if (bytes > DATABASE_NAME_BYTES_MAX) {
    return `it is ${bytes} bytes long, ${DATABASE_NAME_BYTES_MAX} are possible`;
  }
  const { kind } = parseFileName(name);
  return kind === 'database' ? undefined : `the ending makes it a ${kind} file`;
}

/** Takes a name apart by its ending. Says nothing about whether the name is allowed. */
export function parseFileName(name: string): FileName {
  for (const [suffix, kind] of SUFFIXES) {
    if (name.length > suffix.length && name.endsWith(suffix)) {
      return { kind, database: name.slice(0, -suffix.length) };
    }
  }
  const database = parseSuperJournalName(name);
  if (database !== undefined && database !== '') return { kind: 'super-journal', database };
  return { kind: name.startsWith('.') ? 'staging' : 'database', database: name };
}
