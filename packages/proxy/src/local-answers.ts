// What is added to the answers of the app on this node: where a write has brought the client, and
// the gate that holds an answer until enough replicas have the write.

import type { ServerResponse } from 'node:http';

import { isNothing, mergePositions, type Positions } from '@skein/client/peers';

import { sendAnswer, unknownOutcome } from './answers.ts';
import { forwardedProto } from './forwarded.ts';
import type { OutputGate, ResolvedOptions } from './options.ts';
import { maybeCorrected, MovedDatabases, positionsOf, seenHeaders } from './seen.ts';
import type { Visit } from './visit.ts';

/** A message to another thread and back, when the machine is very busy. */
const REFRESH_MS = 1000;

/** One request at the app. */
export interface LocalAnswer {
  /** `kept`: the headers as they are. Undefined: the client has been answered otherwise. */
  headers(kept: string[]): string[] | Promise<string[] | undefined>;
  end(): void;
}

export class LocalAnswers {
  readonly #options: ResolvedOptions;

  constructor(options: ResolvedOptions) {
    this.#options = options;
  }

  /** To be called before the request is sent. Undefined: nothing is added to its answer. */
  begin(visit: Visit): LocalAnswer | undefined {
    const { view, database } = this.#options;
    // Elsewhere than on the primary nothing can have been written, and nothing is known better.
    if (view.role !== 'primary') return undefined;
    const { wanted } = visit.question;
    if (visit.kind === 'read') {
      const corrected = wanted.byDatabase.size === 0 ? undefined : maybeCorrected(view, wanted);
      if (corrected === undefined) return undefined;
      return {
        headers: (kept) => [...kept, ...this.#tell(visit, corrected)],
        end: () => {},
      };
    }
    if (visit.kind !== 'write') return undefined;
    const moved = database === undefined ? new MovedDatabases(view) : undefined;
    return {
      headers: (kept) => this.#written(visit, kept, moved),
      end: () => moved?.close(),
    };
  }

  async #written(
    visit: Visit,
    kept: string[],
    moved: MovedDatabases | undefined,
  ): Promise<string[] | undefined> {
    const { view, database, gate } = this.#options;
    const isFresh = await this.#refresh();
    const written = moved?.positions() ?? positionsOf(view, [database!]);
    const known = maybeCorrected(view, visit.question.wanted) ?? visit.question.wanted;
    const merged = mergePositions(known, written);
    // Who does not know where the write went has the primary answer the client's reads.
    const seen = isFresh ? merged : { ...merged, isPartial: true };
    const told = isNothing(seen) ? [] : this.#tell(visit, seen);
    const isHeld = gate !== undefined && !(isFresh && written.byDatabase.size === 0);
    if (!isHeld || (isFresh && (await this.#passesGate(gate, written, visit.response)))) {
      return [...kept, ...told];
    }
    const message = 'The write is on this node, and not yet on as many replicas as it has to be';
    if (!visit.response.destroyed) sendAnswer(visit.response, unknownOutcome(message), told);
    return undefined;
  }

  /** Whether the view has all that the app has committed. */
  async #refresh(): Promise<boolean> {
    const { view, log } = this.#options;
    // No signal: to abort one makes an error with a stack, for every write.
    let timer: NodeJS.Timeout | undefined;
    try {
      const late = new Promise<false>((resolve) => {
        timer = setTimeout(() => resolve(false), REFRESH_MS);
      });
      const fresh = Promise.resolve(view.refresh()).then(() => true);
      if (await Promise.race([fresh, late])) return true;
      log.warn('The node does not say where its databases stand');
    } catch (error) {
      log.error('The view of the node failed', { error: String(error) });
    } finally {
      clearTimeout(timer);
    }
    return false;
  }

  async #passesGate(
    gate: OutputGate,
    written: Positions,
    response: ServerResponse,
  ): Promise<boolean> {
    const { gateWaitMs, log } = this.#options;
    const controller = new AbortController();
    const { signal } = controller;
    const stop = (): void => controller.abort();
    const timer = setTimeout(stop, gateWaitMs);
    response.once('close', stop);
    // A gate that does not look at its signal holds nothing for longer.
    const aborted = new Promise<false>((resolve) => {
      signal.addEventListener('abort', () => resolve(false));
    });
    try {
      return await Promise.race([gate(written, signal), aborted]);
    } catch (error) {
      log.error('The output gate failed', { error: String(error) });
      return false;
    } finally {
      clearTimeout(timer);
      response.off('close', stop);
      stop();
    }
  }

  #tell({ headers, client }: Visit, positions: Positions): string[] {
    const { compat, database } = this.#options;
    return seenHeaders(positions, {
      isSecure: forwardedProto(headers, client) === 'https',
      txidDatabase: compat ? database : undefined,
    });
  }
}
