// Every file of the mount by name, whoever may write to them: Store where clients may,
// replica/replica-store.ts where only the node may.

import type { FileOwner } from '../data-folder/owner-file.ts';
import type { MountFile } from '../files/mount-file.ts';
import type { Pending } from '../jobs/pending.ts';
import type { ServedDatabase } from './served-database.ts';

/** How a client opens a file. */
export type Access = 'read' | 'write' | 'read-write';

export interface FileStore {
  /** Every database that ever was, dropped ones included. */
  readonly databases: Iterable<ServedDatabase>;
  /** A database that exists. */
  findDatabase(name: string): ServedDatabase | undefined;
  /** The file of a name, if there is one. */
  find(name: string): MountFile | undefined;
  /** All names, as a listing shows them. */
  names(): Iterable<string>;
  /** What has to be done before a client opens a file; undefined when nothing has. */
  attend(name: string): Pending | undefined;
  /** What a client gets that opens a file; find() has found it. */
  open(name: string, access: Access): MountFile;
  /**
   * Makes a file that does not exist, and opens it. Throws EngineError where the name cannot be.
   */
  create(name: string, access: Access, owner: FileOwner): MountFile;
  /** Removes a file that exists. Of a database that is a transaction, of a journal a commit. */
  remove(name: string): Pending | undefined;
  /**
   * Puts a file in the place of another name: how copying programs finish. Only a staging file can
   * be renamed, and only to a database that no client has open.
   */
  rename(from: string, to: string, owner: FileOwner): Pending | undefined;
  /** Gives up every transaction under way: nothing is accepted any more. */
  abandonAll(): void;
  close(): void;
}
