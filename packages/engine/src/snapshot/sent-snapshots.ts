// Snapshots of databases for peers that the log cannot bring to where we are: LTX files in scratch,
// written in steps between requests and read by another thread meanwhile.
//
// Invariants:
//  - A snapshot that is whole has the checksum of its position: the pages are what the transactions
//    of the log say.
//  - Writers are not held up, nor do they fail when the disk is full: the snapshot does.
//
// Peers that need the same one share it. It stays for a while after the last has gone, so that a
// transfer that broke off can go on where it was.

import { formatHex64, readU64be } from '@skein/bytes';
import type { DiskFile } from '@skein/host';
import {
  LtxEncoder,
  LtxFormatError,
  makeHeader,
  type Position,
  rawFileSize,
  type Txid,
} from '@skein/ltx';
import { lockPgno } from '@skein/sqlite-file';

import type { EngineContext } from '../context.ts';
import { removeScratch } from '../data-folder/discard-scratch.ts';
import { EngineError, isDiskFailure } from '../errors.ts';
import type { Job } from '../jobs/jobs.ts';
import type { Snapshot } from './snapshot.ts';
import { SnapshotProgress } from './snapshot-progress.ts';

/** All that another thread has to know of a snapshot. Plain data. */
export interface SnapshotTicket {
  /** Names these very bytes. */
  readonly id: string;
  readonly database: string;
  readonly path: string;
  /** When it is whole. */
  readonly sizeBytes: number;
  readonly position: Position;
  /** The record of the last transaction that is in it. */
  readonly lsn: number;
  readonly timestampMs: number;
  /** Of SnapshotProgress. */
  readonly progress: SharedArrayBuffer;
}

interface Sent {
  readonly ticket: SnapshotTicket;
  readonly progress: SnapshotProgress;
  readonly snapshot: Snapshot;
  readonly file: DiskFile;
  isBeingWritten: boolean;
  userCount: number;
  /** When the last user has gone, by the monotonic clock. */
  unusedSinceMs: number;
}

/** Who has lost his connection comes back within this time, or begins anew. */
const KEPT_MS = 60_000;

/** So much is written in one step: about 2 ms. */
const STEP_BYTES = 1024 * 1024;

export interface SentSnapshotsOptions {
  readonly context: EngineContext;
  readonly take: (name: string) => Job<Snapshot>;
}

export class SentSnapshots {
  readonly #options: SentSnapshotsOptions;
  readonly #sent = new Map<string, Sent>();

  constructor(options: SentSnapshotsOptions) {
    this.#options = options;
  }

  /**
   * A snapshot to be sent, new or shared; to be released. A shared one is not older than where the
   * peer stands, at `peerTxid`: its readers would see it go back. Throws EngineError, DiskError.
   */
  *begin(name: string, peerTxid: bigint = 0n): Job<SnapshotTicket> {
    const shared = this.#findShared(name, peerTxid);
    const sent = shared ?? this.#start(yield* this.#options.take(name), name);
    sent.userCount++;
    return sent.ticket;
  }

  /** One user less. */
  release(id: string): void {
    const sent = this.#sent.get(id);
    if (sent === undefined) return;
    sent.userCount--;
    sent.unusedSinceMs = this.#options.context.clock.monotonicMs();
  }

  /** Removes what nobody has come back for. */
  removeUnused(): void {
    const nowMs = this.#options.context.clock.monotonicMs();
    for (const { ticket, progress, userCount, unusedSinceMs } of this.#sent.values()) {
      const isOld = nowMs >= unusedSinceMs + KEPT_MS;
      if (userCount > 0 || (!isOld && progress.writtenBytes !== undefined)) continue;
      this.#sent.delete(ticket.id);
      removeScratch(this.#options.context.disk, ticket.path);
    }
  }

  /** Nothing more is written; the files go with the scratch folder. */
  close(): void {
    for (const sent of this.#sent.values()) endWriting(sent);
    this.#sent.clear();
  }

  /** One that is whole, or will be, and behind which the log still goes on. */
  #findShared(name: string, peerTxid: bigint): Sent | undefined {
    const { firstLsn } = this.#options.context.committer.log.published;
    for (const sent of this.#sent.values()) {
      const { database, lsn, position } = sent.ticket;
      const isOf = database === name && sent.progress.writtenBytes !== undefined;
      if (isOf && position.txid >= peerTxid && firstLsn <= lsn + 1) return sent;
    }
    return undefined;
  }

  #start(snapshot: Snapshot, database: string): Sent {
    const { context } = this.#options;
    const { txid, checksum, lsn } = snapshot.state;
    const progress = new SnapshotProgress();
    const ticket: SnapshotTicket = {
      id: this.#newId(),
      database,
      path: context.scratchPath('snapshot.ltx'),
      sizeBytes: sizeOf(snapshot),
      position: { txid, checksum },
      lsn,
      timestampMs: context.clock.wallMs(),
      progress: progress.memory,
    };
    const sent: Sent = {
      ticket,
      progress,
      snapshot,
      file: this.#createFile(ticket, snapshot),
      isBeingWritten: true,
      userCount: 0,
      unusedSinceMs: 0,
    };
    this.#sent.set(ticket.id, sent);
    context.jobs.run(this.#write(sent));
    return sent;
  }

  #createFile({ path }: SnapshotTicket, snapshot: Snapshot): DiskFile {
    try {
      return this.#options.context.disk.open('snapshot.create', path, 'create');
    } catch (error) {
      snapshot.close();
      throw error;
    }
  }

  *#write(sent: Sent): Job<void> {
    const { nodeId, log } = this.#options.context;
    const { ticket, progress } = sent;
    try {
      for (const written of writeSnapshot(sent, nodeId)) {
        progress.advance(written);
        yield;
        // Nobody wants it any more.
        if (!this.#sent.has(ticket.id)) return;
      }
    } catch (error) {
      const isExpected =
        isDiskFailure(error) || error instanceof EngineError || error instanceof LtxFormatError;
      if (!isExpected) throw error;
      progress.fail();
      const fields = { database: ticket.database, error: error.message };
      log.warn('Cannot write a snapshot for a replica', fields);
    } finally {
      endWriting(sent);
    }
  }

  #newId(): string {
    const bytes = new Uint8Array(8);
    this.#options.context.random.fill(bytes);
    return formatHex64(readU64be(bytes, 0));
  }
}

function endWriting(sent: Sent): void {
  if (!sent.isBeingWritten) return;
  sent.isBeingWritten = false;
  sent.snapshot.close();
  sent.file.close();
}

function sizeOf({ state, pageSize }: Snapshot): number {
  const lock = lockPgno(pageSize) <= state.pageCount ? 1 : 0;
  return rawFileSize(state.pageCount - lock, pageSize);
}

/** Writes the LTX file of a snapshot; yields how much of it is in the file. */
function* writeSnapshot({ snapshot, file, ticket }: Sent, nodeId: bigint): Generator<number> {
  const { state, pageSize } = snapshot;
  const buffer = new Uint8Array(Math.min(STEP_BYTES, ticket.sizeBytes));
  let buffered = 0;
  let written = 0;
  const flush = (): void => {
    file.write('snapshot.write', buffer, 0, buffered, written);
    written += buffered;
    buffered = 0;
  };
  const header = makeHeader({
    pageSize,
    commit: state.pageCount,
    minTxid: 1n as Txid,
    maxTxid: state.txid,
    timestampMs: ticket.timestampMs,
    nodeId,
  });
  const encoder = new LtxEncoder((bytes, start, end) => {
    buffer.set(bytes.subarray(start, end), buffered);
    buffered += end - start;
  }, header);
  const page = new Uint8Array(pageSize);
  const lock = lockPgno(pageSize);
  for (let pgno = 1; snapshot.readPage(page, 0); pgno++) {
    if (pgno !== lock) encoder.writePage(pgno, page);
    // Room for one more page, with its number, and for the end.
    if (buffered + 2 * pageSize <= buffer.length) continue;
    flush();
    yield written;
  }
  encoder.finish(state.checksum);
  flush();
  yield written;
}
