import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { makeHeader } from './header.ts';
import { lockPgno } from './page-number.ts';
import { PageOrder } from './page-order.ts';
import { pageSizes } from './sample-files.ts';
import { toTxid } from './txid.ts';

function order(txid: number, commit: number, pageSize = 512, completeFrom?: number): PageOrder {
  const fields = { pageSize, commit, minTxid: toTxid(txid), maxTxid: toTxid(txid) };
  return new PageOrder(makeHeader(fields), completeFrom);
}

function accepts(pages: PageOrder, ...pgnos: readonly number[]): void {
  for (const pgno of pgnos) pages.accept(pgno, 0);
}

function rejects(pages: PageOrder, pgno: number): void {
  const error = { code: 'LTX_PAGE_ORDER', actual: pgno, offset: 77 };
  assert.throws(() => pages.accept(pgno, 77), error);
}

describe('PageOrder', () => {
  test('lets a transaction have any pages of the database, ascending', () => {
    const pages = order(2, 9);
    accepts(pages, 2, 3, 7);
    rejects(pages, 7);
    rejects(pages, 1);
    rejects(pages, 0);
    rejects(pages, 10);
    accepts(pages, 9);
    pages.finish(0);
  });

  test('lets a transaction have no pages', () => {
    order(2, 9).finish(0);
  });

  test('wants all pages of a snapshot', () => {
    rejects(order(1, 3), 2);
    const pages = order(1, 3);
    accepts(pages, 1, 2);
    assert.throws(() => pages.finish(5), {
      code: 'LTX_SNAPSHOT_INCOMPLETE',
      expected: 3,
      offset: 5,
    });
    accepts(pages, 3);
    pages.finish(0);
  });

  test('lets nobody write the lock page, and a snapshot go past it', () => {
    for (const pageSize of pageSizes) {
      const lock = lockPgno(pageSize);
      const pages = order(2, lock + 5, pageSize, lock - 1);
      accepts(pages, 3, lock - 1);
      rejects(pages, lock);
      accepts(pages, lock + 1);
      assert.throws(() => pages.finish(0), { expected: lock + 2 });
    }
  });

  test('lets a snapshot end before the lock page or with it', () => {
    const lock = lockPgno(65536);
    for (const commit of [lock - 1, lock]) {
      const pages = order(1, commit, 65536);
      for (let pgno = 1; pgno < lock; pgno += 1) pages.accept(pgno, 0);
      pages.finish(0);
    }
  });

  test('wants all pages from a number on, if told so', () => {
    const pages = order(2, 8, 512, 6);
    accepts(pages, 3);
    rejects(pages, 7);
    accepts(pages, 4, 6, 7);
    assert.throws(() => pages.finish(0), { expected: 8 });
    assert.throws(() => order(2, 8, 512, 6).finish(0), { expected: 6 });
    order(2, 8, 512, 9).finish(0);
  });
});
