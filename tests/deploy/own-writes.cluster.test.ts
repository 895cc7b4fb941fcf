// Many clients at random doors of the compose file's services for a while, the balancers' among
// them: each always sees what it wrote.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { requirePart } from '@skein/testkit';

import { openProject } from '../lib/compose/project.ts';
import { seeOwnWrites } from '../lib/own-writes.ts';
import { replayHint, scaled, SEED } from '../lib/scale.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const PROFILES: readonly string[] = ['nginx', 'haproxy'];
const DOORS: readonly number[] = [8001, 8002, 8003, 8080, 8090];
const CLIENT_COUNT = 100;
const DURATION_MS = scaled(15_000, 60_000);

test(`100 clients see their own writes: ${replayHint(SEED, 'own-writes')}`, async (t) => {
  if (!requirePart(t, 'fuse', 'root', 'curl')) return;
  const file = join(ROOT, 'examples', 'messages', 'docker-compose.yml');
  const project = await openProject(t, { file, profiles: PROFILES });
  if (project === undefined) return;
  await project.upAndHealthy({ profiles: PROFILES });
  const endMs = performance.now() + DURATION_MS;
  const count = await seeOwnWrites({
    doors: DOORS.map((port) => project.urlOf(port)),
    clientCount: CLIENT_COUNT,
    seed: SEED,
    goesOn: (round) => round === 0 || performance.now() < endMs,
  });
  t.diagnostic(`${count} messages`);
  assert(count >= CLIENT_COUNT);
});
