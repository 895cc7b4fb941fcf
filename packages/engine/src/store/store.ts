// The databases of a node and every file of the mount, by name.
//
// What the kernel asks for by name ends here: which file is that, may it be made, removed, renamed.
// What it asks for by open file goes to the file itself (files/mount-file.ts).

import { openImage } from '../commit/image.ts';
import { commitOverlays } from '../commit/rollback-commit.ts';
import type { EngineContext } from '../context.ts';
import type { FileOwner } from '../data-folder/owner-file.ts';
import { Database } from '../database/database.ts';
import { EngineError } from '../errors.ts';
import type { MountFile } from '../files/mount-file.ts';
import { type FileName, findNameFault, parseFileName } from '../files/names.ts';
import { ScratchFile } from '../files/scratch-file.ts';
import { SuperJournalFile } from '../files/super-journal-file.ts';
import { holdAll } from '../jobs/job-lock.ts';
import { afterwards, type Pending } from '../jobs/pending.ts';
import { DatabaseFiles } from './database-files.ts';
import type { Access, FileStore } from './file-store.ts';

export class Store implements FileStore {
  readonly #context: EngineContext;
  /** The folder `dbs` of the data folder. */
  readonly #folder: string;
  readonly #databases = new Map<string, DatabaseFiles>();
  readonly #superJournals = new Map<string, SuperJournalFile>();
  readonly #staging = new Map<string, ScratchFile>();

  constructor(context: EngineContext, folder: string, databases: Iterable<Database>) {
    this.#context = context;
    this.#folder = folder;
    for (const database of databases) this.#adopt(database);
  }

  get databases(): Iterable<DatabaseFiles> {
    return this.#databases.values();
  }

  findDatabase(name: string): DatabaseFiles | undefined {
    const files = this.#databases.get(name);
    return files?.database.exists === true ? files : undefined;
  }

  find(name: string): MountFile | undefined {
    const { kind, database } = parseFileName(name);
    const files = this.#databases.get(database);
    switch (kind) {
      case 'database':
        return this.findDatabase(database)?.main;
      case 'position':
        return this.findDatabase(database)?.position;
      case 'journal':
      case 'wal':
      case 'shm':
        return files?.companion(kind);
      case 'super-journal':
        return this.#superJournals.get(name);
      case 'staging':
        return this.#staging.get(name);
    }
  }

  *names(): Generator<string> {
    for (const name of [...this.#databases.keys()].sort()) {
      const files = this.#databases.get(name)!;
      if (files.database.exists) yield* [name, `${name}-pos`];
      for (const kind of ['journal', 'shm', 'wal'] as const) {
        if (files.companion(kind) !== undefined) yield `${name}-${kind}`;
      }
    }
    yield* this.#superJournals.keys();
    yield* this.#staging.keys();
  }

  /** Clients are among themselves. */
  attend(): undefined {
    return undefined;
  }

  open(name: string, access: Access): MountFile {
    const { kind, database } = parseFileName(name);
    const files = this.#databases.get(database);
    if (kind === 'database') return files!.open(access);
    // Readers, too, open a WAL and its index for writing.
    if (access !== 'read' && kind === 'journal') files?.assertWritable();
    return this.find(name)!;
  }

  create(name: string, access: Access, owner: FileOwner): MountFile {
    const parsed = parseFileName(name);
    switch (parsed.kind) {
      case 'database':
        return this.#createDatabase(name, access, owner);
      case 'position':
        throw new EngineError('DATABASE_NAME', `Cannot make ${name}: positions make themselves`);
      case 'journal':
      case 'wal':
      case 'shm':
        return this.#companionsOf(parsed).createCompanion(parsed.kind);
      case 'super-journal':
        return this.#addScratch(this.#superJournals, name, SuperJournalFile);
      case 'staging':
        return this.#addScratch(this.#staging, name, ScratchFile);
    }
  }

  remove(name: string): Pending | undefined {
    const { kind, database } = parseFileName(name);
    switch (kind) {
      case 'database':
        return this.#databases.get(database)!.drop();
      case 'position':
        throw new EngineError('OPERATION_NOT_SUPPORTED', `Cannot remove ${name}: it is read only`);
      case 'journal':
      case 'wal':
      case 'shm':
        return this.#databases.get(database)!.removeCompanion(kind);
      case 'super-journal':
        return this.#removeSuperJournal(name);
      case 'staging':
        this.#staging.get(name)!.unlink();
        this.#staging.delete(name);
        return undefined;
    }
  }

  rename(from: string, to: string, owner: FileOwner): Pending | undefined {
    const source = this.#staging.get(from);
    if (source === undefined) {
      throw new EngineError('OPERATION_NOT_SUPPORTED', `Cannot rename ${from}`, {
        hint: 'Copy the database, then remove the old name',
      });
    }
    if (parseFileName(to).kind === 'staging') {
      this.#staging.get(to)?.unlink();
      this.#staging.set(to, source);
      this.#staging.delete(from);
      return undefined;
    }
    return this.#finishStaging(from, to, source, owner);
  }

  /** The files of a database, made if there are none; for an import. */
  prepareDatabase(name: string, owner: FileOwner): DatabaseFiles {
    const fault = findNameFault(name);
    if (fault !== undefined) {
      throw new EngineError(
        'DATABASE_NAME',
        `Cannot make database ${JSON.stringify(name)}: ${fault}`,
      );
    }
    const files = this.#databases.get(name) ?? this.#adopt(this.#newDatabase(name));
    files.assertWritable();
    if (!files.database.exists) {
      files.database.openFile();
      files.setOwner(owner);
    }
    return files;
  }

  abandonAll(): void {
    for (const files of this.#databases.values()) files.abandon();
  }

  close(): void {
    for (const files of this.#databases.values()) files.close();
    for (const file of [...this.#superJournals.values(), ...this.#staging.values()]) file.close();
  }

  #createDatabase(name: string, access: Access, owner: FileOwner): MountFile {
    return this.prepareDatabase(name, owner).open(access);
  }

  #companionsOf({ database, kind }: FileName): DatabaseFiles {
    const fault = findNameFault(database);
    if (fault !== undefined) {
      throw new EngineError('DATABASE_NAME', `Cannot make a ${kind} of ${database}: ${fault}`);
    }
    return this.#databases.get(database) ?? this.#adopt(this.#newDatabase(database));
  }

  #newDatabase(name: string): Database {
    return new Database(this.#context, { name, folder: `${this.#folder}/${name}` });
  }

  #adopt(database: Database): DatabaseFiles {
    const { name } = database;
    const files = new DatabaseFiles(this.#context, database, () => this.#databases.delete(name));
    this.#databases.set(name, files);
    return files;
  }

  #addScratch<T extends ScratchFile>(
    files: Map<string, T>,
    name: string,
    make: new (disk: EngineContext['disk'], path: string) => T,
  ): T {
    const file = new make(this.#context.disk, this.#context.scratchPath('scratch'));
    files.set(name, file);
    return file;
  }

  #removeSuperJournal(name: string): Pending | undefined {
    const file = this.#superJournals.get(name)!;
    for (const database of file.databases())
      this.#databases.get(database)?.journal?.assertNotVoid();
    const members = file.findMembers(name, this.#journalsWithChanges());
    const databases = members.map(({ files }) => files);
    const committed =
      databases.length === 0
        ? undefined
        : this.#context.jobs.run(
            holdAll(
              databases.map(({ lock }) => lock),
              commitOverlays(this.#context, databases),
            ),
          );
    return afterwards(committed, () => {
      this.#superJournals.delete(name);
      file.unlink();
    });
  }

  *#journalsWithChanges(): Generator<{
    readonly name: string;
    readonly superJournal: Uint8Array | undefined;
    readonly files: DatabaseFiles;
  }> {
    for (const files of this.#databases.values()) {
      const { name, journal } = files;
      if (!files.hasChanges || journal === undefined) continue;
      yield { name, superJournal: journal.superJournal, files };
    }
  }

  #finishStaging(
    from: string,
    to: string,
    source: ScratchFile,
    owner: FileOwner,
  ): Pending | undefined {
    const existing = this.findDatabase(to);
    if (existing?.hasClients === true) {
      throw new EngineError('DATABASE_IN_USE', `Cannot rename ${from} to ${to}: it is open`, {
        hint: 'Close it, or use skein import, which replaces a database that is in use',
      });
    }
    const image = openImage(source.file, to);
    const files = this.prepareDatabase(to, existing?.owner ?? owner);
    return afterwards(files.replaceWith(image), () => {
      this.#staging.delete(from);
      source.unlink();
    });
  }
}
