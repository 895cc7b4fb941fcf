// Many clients at once, each of which writes and reads through doors that it picks at random, and
// must see what it wrote.

import assert from 'node:assert/strict';

import { SeededRandom } from '@skein/testkit';

import { hasSeen, MessagesClient } from './messages-cluster.ts';

export interface OwnWritesOptions {
  readonly doors: readonly string[];
  readonly clientCount: number;
  readonly seed: number;
  /** Asked before each round of a client. */
  readonly goesOn: (round: number) => boolean;
}

/** Returns how many messages were created. */
export async function seeOwnWrites(options: OwnWritesOptions): Promise<number> {
  const random = new SeededRandom(options.seed);
  const counts = await Promise.all(
    Array.from({ length: options.clientCount }, (_, index) =>
      runClient(`client ${index + 1}`, random.fork(), options),
    ),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

async function runClient(
  name: string,
  random: SeededRandom,
  { doors, goesOn }: OwnWritesOptions,
): Promise<number> {
  const client = new MessagesClient();
  let round = 0;
  for (; goesOn(round); round += 1) {
    const [writeDoor, readDoor] = [random.pick(doors), random.pick(doors)];
    const outcome = await client.create(writeDoor, `${name}, round ${round}`);
    assert(outcome.kind === 'created', `${name}: nothing fails, and it is told ${outcome.kind}`);
    const listed = await client.list(readDoor);
    const where = `written at ${writeDoor}, read at ${readDoor}`;
    assert(hasSeen(listed, outcome.id), `${name} does not see message ${outcome.id}, ${where}`);
  }
  return round;
}
