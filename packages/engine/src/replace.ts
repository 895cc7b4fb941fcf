// Replaces a database by an image of another, in one transaction: a file that was copied in, an
// import.
//
// Connections that are open stay open. They are kept out while it happens, and read everything anew
// afterwards: in rollback modes because the change counter differs, in WAL mode because the
// wal-index does.

import { decodeDatabaseHeader } from '@skein/sqlite-file';

import type { EngineContext } from './context.ts';
import { EngineError } from './errors.ts';
import type { DatabaseFiles } from './database-files.ts';
import { type DatabaseImage, type ImagePatch, imageSource } from './image.ts';
import type { Job } from './jobs.ts';
import { Pending } from './pending.ts';
import type { Exclusion } from './ports.ts';
import { applyTransaction, forgetContent, giveRoomBack, makeRoom } from './rollback-commit.ts';
import { prepareTransaction } from './transaction.ts';

export function* replaceDatabase(
  context: EngineContext,
  files: DatabaseFiles,
  image: DatabaseImage,
): Job<void> {
  checkPageSize(files, image);
  const exclusion = files.hasClients ? yield* excludeClients(context, files) : undefined;
  try {
    yield* replace(context, files, image);
  } finally {
    exclusion?.end();
  }
}

function* replace(context: EngineContext, files: DatabaseFiles, image: DatabaseImage): Job<void> {
  const { database, wal } = files;
  files.assertWritable();
  wal?.completeDatabase();
  const { pageSize } = image.header;
  const { pageCount } = image;
  const patch = patchFor(files);
  if (patch === undefined) files.beforeFirstTransaction();
  const source = imageSource(image, patch);
  const transaction = yield* prepareTransaction(database, source, {
    pageSize,
    pageCount,
    keptPageCount: Math.min(database.state.pageCount, pageCount),
    timestampMs: context.clock.wallMs(),
    nodeId: context.nodeId,
  });
  if (transaction === undefined) return;
  try {
    yield* makeRoom(transaction);
    const lsn = yield* context.committer.commit([transaction]);
    const durable = context.committer.whenDurable(lsn);
    if (durable !== undefined) yield durable;
  } catch (error) {
    giveRoomBack(database);
    throw error;
  }
  yield* applyTransaction(transaction);
  database.markFileComplete();
  // A WAL that was copied in before its database belongs to it; one that clients use is the old
  // one's.
  if (patch === undefined) yield* wal?.takeInAll() ?? [];
  else yield* files.resetWal();
  yield* forgetContent(context, database.name);
}

function checkPageSize({ database }: DatabaseFiles, image: DatabaseImage): void {
  const { pageSize } = database.state;
  if (pageSize === undefined || pageSize === image.header.pageSize) return;
  throw new EngineError(
    'IMAGE_PAGE_SIZE',
    `Cannot replace ${database.name}: its pages have ${pageSize} bytes, the image's ` +
      `${image.header.pageSize}`,
    { hint: 'Drop the database first (rm), or VACUUM the image with the same page size' },
  );
}

function patchFor({ database, wal }: DatabaseFiles): ImagePatch | undefined {
  const { pageSize } = database.state;
  if (pageSize === undefined) return undefined;
  const page = new Uint8Array(pageSize);
  database.readPage(1, page);
  const { changeCounter, schemaCookie } = decodeDatabaseHeader(page);
  return { changeCounter, schemaCookie, isWal: wal !== undefined };
}

function* excludeClients(context: EngineContext, { database }: DatabaseFiles): Job<Exclusion> {
  const excluded = new Pending();
  let exclusion: Exclusion | undefined;
  context.locks.exclude(database.name, (outcome) => {
    if (outcome instanceof Error) return excluded.settle(outcome);
    exclusion = outcome;
    excluded.settle();
  });
  yield excluded;
  return exclusion!;
}
