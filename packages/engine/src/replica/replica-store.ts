// The files of a replica's mount, by name: databases with their companions, which are always there,
// and nothing that a client could make, remove or rename.

import type { MountFile } from '../files/mount-file.ts';
import { parseFileName } from '../files/names.ts';
import type { Pending } from '../jobs/pending.ts';
import type { Access, FileStore } from '../store/file-store.ts';
import { replicaReadOnly } from './refuse.ts';
import type { Replica } from './replica.ts';
import type { ReplicaDatabase } from './replica-database.ts';

export class ReplicaStore implements FileStore {
  readonly #replica: Replica;

  constructor(replica: Replica) {
    this.#replica = replica;
  }

  get databases(): Iterable<ReplicaDatabase> {
    return this.#replica.databases.values();
  }

  findDatabase(name: string): ReplicaDatabase | undefined {
    const files = this.#replica.databases.get(name);
    return files?.isShown === true ? files : undefined;
  }

  find(name: string): MountFile | undefined {
    const { kind, database } = parseFileName(name);
    switch (kind) {
      case 'database':
      case 'position':
      case 'wal':
      case 'shm':
        return this.findDatabase(database)?.file(kind);
      case 'journal':
      case 'super-journal':
      case 'staging':
        return undefined;
    }
  }

  *names(): Generator<string> {
    for (const name of [...this.#replica.databases.keys()].sort()) {
      if (this.findDatabase(name) === undefined) continue;
      yield* [name, `${name}-pos`, `${name}-shm`, `${name}-wal`];
    }
  }

  /** Readers open the wal-index for writing: their marks are there. */
  open(name: string, access: Access): MountFile {
    if (access !== 'read' && parseFileName(name).kind !== 'shm') throw replicaReadOnly(name);
    return this.find(name)!;
  }

  attend(name: string): Pending | undefined {
    const { kind, database } = parseFileName(name);
    return kind === 'position' ? undefined : this.findDatabase(database)?.attend();
  }

  create(name: string): never {
    throw replicaReadOnly(name);
  }

  remove(name: string): never {
    throw replicaReadOnly(name);
  }

  rename(from: string): never {
    throw replicaReadOnly(from);
  }

  /** Clients have none under way. */
  abandonAll(): void {}

  close(): void {
    this.#replica.close();
  }
}
