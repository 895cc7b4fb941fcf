// A primary and a replica of LiteFS, as a bench sees nodes.

import { join } from 'node:path';

import { freePorts, LitefsNode, type LitefsRole } from '@skein/testkit';

import type { BenchNode } from './replication.ts';

const PRIMARY = 'primary';

/** One whose role stays. */
export class LitefsBenchNode implements BenchNode, AsyncDisposable {
  readonly name: string;
  readonly #node: LitefsNode;
  readonly #role: LitefsRole;

  constructor(name: string, node: LitefsNode, role: LitefsRole) {
    this.name = `LiteFS's ${name}`;
    this.#node = node;
    this.#role = role;
  }

  get mountpoint(): string {
    return this.#node.mountpoint;
  }

  get dataFolder(): string {
    return this.#node.dataFolder;
  }

  path(database: string): string {
    return this.#node.path(database);
  }

  start(): Promise<void> {
    return this.#node.start(this.#role);
  }

  stop(): Promise<void> {
    return this.#node.stop();
  }

  async positions(): Promise<ReadonlyMap<string, string>> {
    this.#node.assertRuns();
    return this.#node.positions();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

export interface LitefsPair {
  readonly primary: LitefsBenchNode;
  readonly replica: LitefsBenchNode;
}

/** Nothing is started. */
export async function createLitefsPair(program: string, folder: string): Promise<LitefsPair> {
  const ports = await freePorts(2);
  const [first, second] = ports.map(
    (port) => new LitefsNode({ program, folder: join(folder, `litefs-${port}`), port }),
  ) as [LitefsNode, LitefsNode];
  return {
    primary: new LitefsBenchNode(PRIMARY, first, { leadsAs: PRIMARY }),
    replica: new LitefsBenchNode('replica', second, { follows: first.url }),
  };
}
