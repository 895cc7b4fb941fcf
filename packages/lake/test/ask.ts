// Statements to an engine and rows back, as tests write them.

import type { LakeEngine, Snapshot } from '../src/engine/ports.ts';

export interface Answer {
  readonly rows: unknown[][];
  readonly snapshot: Snapshot;
  readonly position: string;
  readonly rowsChanged: number | undefined;
}

/** Values as plain JavaScript: whole numbers as numbers, what has no JavaScript form as text. */
export async function ask(
  engine: LakeEngine,
  sql: string,
  parameters?: readonly unknown[],
): Promise<Answer> {
  const plan = await engine.plan(sql);
  const execution = await engine.execute(plan, { mayWrite: true, parameters });
  const rows: unknown[][] = [];
  for await (const chunk of execution.chunks()) {
    rows.push(...chunk.getRows().map((row) => row.map(toPlain)));
  }
  await execution.close();
  const { snapshot, position, rowsChanged } = execution;
  return { rows, snapshot, position, rowsChanged };
}

export async function rowsOf(engine: LakeEngine, sql: string): Promise<unknown[][]> {
  return (await ask(engine, sql)).rows;
}

function toPlain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint8Array || value === null || typeof value !== 'object') return value;
  // DuckDB's own classes say what they hold.
  return (value as { toString(): string }).toString();
}
