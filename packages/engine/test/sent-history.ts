// A database that a primary changes again and again, without a primary.

import type { SeededRandom } from '@skein/testkit';

import { type ChangeOptions, changedPages, type Pages, samplePages } from './sample-database.ts';
import { ltxBetween, type SentLtx } from './sent-ltx.ts';

export class SentHistory {
  readonly database: string;
  readonly all: SentLtx[] = [];
  readonly #random: SeededRandom;
  readonly #pageSize: number;

  constructor(random: SeededRandom, database = 'app.db', pageSize = 512) {
    this.#random = random;
    this.database = database;
    this.#pageSize = pageSize;
  }

  get pages(): Pages {
    return this.all.at(-1)?.pages ?? [];
  }

  get txid(): bigint {
    return this.all.at(-1)?.txid ?? 0n;
  }

  /** The next transaction: the first one makes the database, with `pageCount` pages. */
  next(options: ChangeOptions = {}, pageCount = 5): SentLtx {
    const { pages } = this;
    return this.become(
      pages.length === 0
        ? samplePages(this.#random, this.#pageSize, pageCount)
        : changedPages(this.#random, pages, options),
    );
  }

  several(count: number, options: ChangeOptions = {}): SentLtx[] {
    return Array.from({ length: count }, () => this.next(options));
  }

  drop(): SentLtx {
    return this.become([]);
  }

  /** The transaction that makes `next` of what there is. */
  become(next: Pages): SentLtx {
    const { database, pages: before, txid } = this;
    const sent = ltxBetween({ database, txid: txid + 1n, before, next });
    this.all.push(sent);
    return sent;
  }
}
