// A super-journal: while it exists, the journals that point to it can undo a transaction over
// several databases; its removal commits all of them at once (https://sqlite.org/atomiccommit.html,
// section 5). What SQLite does with the journals afterwards is of no consequence, and errors there
// it ignores.

import { decodeSuperJournal } from '@skein/sqlite-file';

import { parseFileName } from './names.ts';
import { ScratchFile } from './scratch-file.ts';

/** Where a journal says which super-journal decides about it. */
export interface SuperJournalMember {
  /** The database of the journal. */
  readonly name: string;
  readonly superJournal: Uint8Array | undefined;
}

/** Twice what 125 attached databases with the longest paths need: a longer one is not SQLite's. */
const SUPER_JOURNAL_BYTES_MAX = 128 * 1024;

export class SuperJournalFile extends ScratchFile {
  /**
   * Those of `members` that the removal of this file commits: it lists their journals, and their
   * journals point to it. Both are asked, for SQLite also removes super-journals that nobody points
   * to any more.
   */
  findMembers<T extends SuperJournalMember>(ownName: string, members: Iterable<T>): T[] {
    const listed = new Set(this.databases());
    return [...members].filter(
      ({ name, superJournal }) =>
        superJournal !== undefined && baseName(superJournal) === ownName && listed.has(name),
    );
  }

  /** Names of the databases whose journals it lists. */
  databases(): string[] {
    const { sizeBytes } = this;
    if (sizeBytes > SUPER_JOURNAL_BYTES_MAX) return [];
    const bytes = new Uint8Array(sizeBytes);
    this.read(bytes, 0, bytes.length, 0);
    return decodeSuperJournal(bytes).map((path) => parseFileName(baseName(path)).database);
  }
}

/** The last part of a path, which a client wrote as it sees its folders. */
function baseName(path: Uint8Array): string {
  const text = new TextDecoder().decode(path);
  return text.slice(text.lastIndexOf('/') + 1);
}
