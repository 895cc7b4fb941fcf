// Settings as they were written, before they mean anything: each a text, with the place where it
// stands. Sources are laid over each other, and what comes of it is read once (lake-schema.ts).

import type { LakeConfigProblem } from './errors.ts';

export interface WrittenSetting {
  readonly text: string;
  readonly place: string;
}

/** By key: `http.address`. Of a list the parts are `http.allow-origins.0` and so on. */
export type Draft = ReadonlyMap<string, WrittenSetting>;

/** What one source says, and what of it does not count. */
export interface Source {
  readonly draft: Draft;
  readonly problems: readonly LakeConfigProblem[];
  /** Keys that are known, and have no effect here: what is told when the lake starts. */
  readonly notes: readonly string[];
}

export const NO_SOURCE: Source = { draft: new Map(), problems: [], notes: [] };

/** Later ones win. A list is replaced as a whole. */
export function mergeSources(...sources: readonly Source[]): Source {
  const draft = new Map<string, WrittenSetting>();
  for (const source of sources) {
    for (const key of source.draft.keys()) {
      const list = listOf(key);
      if (list === undefined) continue;
      for (const old of draft.keys()) if (listOf(old) === list) draft.delete(old);
    }
    for (const [key, setting] of source.draft) draft.set(key, setting);
  }
  return {
    draft,
    problems: sources.flatMap(({ problems }) => problems),
    notes: sources.flatMap(({ notes }) => notes),
  };
}

function listOf(key: string): string | undefined {
  return /^(.*)\.\d+$/.exec(key)?.[1];
}

/** Nested objects and lists of texts. */
export function treeOf(draft: Draft): unknown {
  const root: Record<string, unknown> = {};
  for (const [key, { text }] of draft) {
    const parts = key.split('.');
    let node = root;
    for (const part of parts.slice(0, -1)) node = (node[part] ??= {}) as Record<string, unknown>;
    node[parts.at(-1)!] = text;
  }
  return withLists(root);
}

function withLists(node: unknown): unknown {
  if (typeof node !== 'object' || node === null) return node;
  const entries = Object.entries(node).map(([key, value]) => [key, withLists(value)] as const);
  const isList = entries.length > 0 && entries.every(([key]) => /^\d+$/.test(key));
  return isList ? entries.map(([, value]) => value) : Object.fromEntries(entries);
}
