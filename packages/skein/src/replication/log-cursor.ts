// What one peer is sent, as its stream asks for it: the steps of the engine's cursor, and the
// waiting in between.

import { setImmediate } from 'node:timers/promises';

import {
  type LogCursor,
  type LogItem,
  type PositionMap,
  type SentFile,
  untilAborted,
} from '@skein/cluster';
import {
  type CursorStep,
  EngineError,
  isTrimmed,
  PeerCursor,
  type SnapshotTicket,
} from '@skein/engine';
import type { Position } from '@skein/ltx';

import type { EngineLogSource } from './log-source.ts';
import { SentBeside, SentSnapshot } from './sent-file.ts';

export class EngineLogCursor implements LogCursor {
  readonly #source: EngineLogSource;
  readonly #databases: ReadonlySet<string> | undefined;
  /** On their way to the peer. */
  readonly #files = new Set<SentFile>();
  #cursor: PeerCursor;
  #toldCaughtUp = false;
  #isClosed = false;

  constructor(
    source: EngineLogSource,
    from: PositionMap,
    databases: ReadonlySet<string> | undefined,
  ) {
    this.#source = source;
    this.#databases = databases;
    this.#cursor = this.#begin(from);
  }

  /** The first record that the peer may need. */
  get neededLsn(): number {
    return this.#cursor.neededLsn;
  }

  /** What comes behind a file is needed, however long that takes. */
  get isSendingFile(): boolean {
    return this.#files.size > 0;
  }

  async next(signal: AbortSignal): Promise<LogItem> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#isClosed) throw new Error('Asks a cursor that was closed');
      const { moved } = this.#source;
      const item = await this.#step();
      this.#source.updateHold();
      if (item === 'wait') await untilAborted(moved, signal);
      // Others have their turn before the next piece of the log.
      else if (item === 'again') await setImmediate();
      else return item;
    }
  }

  acknowledged(database: string, position: Position): void {
    this.#cursor.acknowledged(database, position);
    this.#source.updateHold();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cursor.close();
    for (const file of this.#files) file.release();
    this.#source.forget(this);
  }

  #begin(from: PositionMap): PeerCursor {
    const { catalog, options } = this.#source;
    const { log, clock } = options;
    return new PeerCursor({ log, clock, catalog, from, databases: this.#databases });
  }

  async #step(): Promise<LogItem | 'again' | 'wait'> {
    const step = this.#tryStep();
    switch (step.kind) {
      case 'transactions':
      case 'unknown-database':
        return step;
      case 'file': {
        const file = new SentBeside(step.file, (sent) => this.#forget(sent));
        this.#files.add(file);
        return { kind: 'file', file };
      }
      case 'snapshot':
        return this.#snapshot(step.database);
      case 'more':
        return 'again';
      case 'end':
        if (this.#toldCaughtUp) return 'wait';
        this.#toldCaughtUp = true;
        return { kind: 'caught-up' };
      case 'trimmed':
        await this.#source.renew();
        this.#cursor = this.#begin(this.#cursor.positions);
        return 'again';
    }
  }

  async #snapshot(database: string): Promise<LogItem | 'again'> {
    const ticket = await this.#maybeTicket(database);
    if (ticket === undefined) {
      this.#cursor.cannotSnapshot(database);
      return 'again';
    }
    const file = this.#openSnapshot(ticket);
    if (this.#isClosed) file.release();
    else this.#cursor.tookSnapshot(database, ticket.position, ticket.lsn);
    return { kind: 'file', file };
  }

  #openSnapshot(ticket: SnapshotTicket): SentFile {
    const { calls, log } = this.#source.options;
    const { disk, published } = log;
    const onRelease = (file: SentFile): void => {
      this.#forget(file);
      calls.releaseSnapshot(ticket.id);
    };
    try {
      const file = new SentSnapshot(ticket, { disk, epoch: published.epoch, onRelease });
      this.#files.add(file);
      return file;
    } catch (error) {
      calls.releaseSnapshot(ticket.id);
      throw error;
    }
  }

  /** Undefined when the database is not there any more. */
  async #maybeTicket(database: string): Promise<SnapshotTicket | undefined> {
    try {
      const { catalog, options } = this.#source;
      const peerTxid = this.#cursor.positions.get(database)?.txid ?? 0n;
      const ownTxid = catalog.positions.get(database)?.txid ?? 0n;
      // One that is ahead has another history, and goes back whatever it is given.
      const notBefore = peerTxid > ownTxid ? 0n : peerTxid;
      return await options.calls.beginSnapshot(database, notBefore);
    } catch (error) {
      const isGone = error instanceof EngineError && error.code === 'DATABASE_NOT_FOUND';
      if (isGone) return undefined;
      throw error;
    }
  }

  #forget(file: SentFile): void {
    this.#files.delete(file);
    this.#source.updateHold();
  }

  /** 'trimmed': the catalog does not reach as far as the log any more. */
  #tryStep(): CursorStep | { readonly kind: 'trimmed' } {
    try {
      return this.#cursor.step();
    } catch (error) {
      if (!isTrimmed(error)) throw error;
      this.#cursor.close();
      return { kind: 'trimmed' };
    }
  }
}
