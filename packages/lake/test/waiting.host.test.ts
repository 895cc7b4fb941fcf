// Who waits for a position costs the same as all others who do: anybody may ask for one, and for
// one that never comes.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ask } from './ask.ts';
import { createRealEngine } from './real-engine.ts';

const WAITERS = 100;
/** The engine's own pause between two looks. */
const LOOK_MS = 10;

test('a hundred who wait look at the catalog as often as one', async (t) => {
  const engine = await createRealEngine(t);
  t.after(() => engine.close());
  const { id: snapshot } = await engine.snapshot();
  const look = engine.snapshot.bind(engine);
  let looks = 0;
  engine.snapshot = () => {
    looks += 1;
    return look();
  };
  const beganMs = performance.now();
  const waiting = Array.from({ length: WAITERS }, (_, i) =>
    assert.rejects(engine.waitFor(`${snapshot + 1000n + BigInt(i)}`, { timeoutMs: 300 }), {
      code: 'POSITION_TIMEOUT',
    }),
  );
  await Promise.all(waiting);
  const looksMax = WAITERS + (performance.now() - beganMs) / LOOK_MS + 1;
  assert.ok(looks <= looksMax, `${looks} looks, ${looksMax} at most`);
  // A position that comes is still seen.
  const coming = engine.waitFor(String(snapshot + 1n), { timeoutMs: 60_000 });
  await ask(engine, 'CREATE TABLE t (a INT)');
  await coming;
});
