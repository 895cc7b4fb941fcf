// What the conformance list is asked of: a lake that is there, by its URLs. A writer alone has one;
// behind an ingress writes go below /w, and reads to readers.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type Answer, clientOf } from '../test-server.ts';
import { CONFORMANCE } from './list.ts';

type Client = ReturnType<typeof clientOf>;

export class Target {
  readonly #read: Client;
  readonly #write: Client;
  #names = 0;

  constructor(readUrl: string, writeUrl: string) {
    this.#read = clientOf(readUrl);
    this.#write = clientOf(writeUrl);
  }

  /** Reads by POST. */
  query: Client['query'] = (...args) => this.#read.query(...args);

  get: Client['send'] = (path, sending) => this.#read.send(path, sending);

  /** A write that succeeds. */
  async run(sql: string): Promise<Answer> {
    const answer = await this.#write.query(sql);
    assert.equal(answer.status, 200, `${sql}\n${answer.text}`);
    return answer;
  }

  write: Client['query'] = (...args) => this.#write.query(...args);

  sendWrite: Client['send'] = (path, sending) => this.#write.send(path, sending);

  /** The rows of a read that succeeds. */
  async rows(sql: string): Promise<readonly unknown[]> {
    const answer = await this.query(sql);
    assert.equal(answer.status, 200, `${sql}\n${answer.text}`);
    return answer.rows;
  }

  /** A name that no other test has. */
  name(): string {
    this.#names += 1;
    return `t${this.#names}`;
  }
}

export type Check = (target: Target) => Promise<void>;

/** A test with the id in its title. */
export function conforms(id: string, target: () => Target, check: Check): void {
  const requirement = CONFORMANCE[id];
  assert.ok(requirement !== undefined, `${id} is not in the list`);
  const instead = requirement.instead === undefined ? '' : ` (Seafowl: ${requirement.instead})`;
  void test(`${id} ${requirement.what}${instead}`, { timeout: 120_000 }, () => check(target()));
}

/** Behind the first dot of a path nothing counts. */
export function pathOf(sql: string): string {
  return `/q/${encodeURIComponent(sql).replaceAll('.', '%2E')}`;
}
