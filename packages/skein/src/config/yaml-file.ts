// A YAML file as plain values that know their lines. Every scalar stays the text that was written:
// what "010", "yes" or "1e3" means is for the key to say (values.ts).

import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';

import { ConfigError } from './errors.ts';

/** Far more than any configuration; a wrong path may lead to anything. */
export const YAML_BYTES_MAX: number = 1024 * 1024;

export interface YamlFile {
  /** Mappings, lists and strings. An empty file is an empty mapping. */
  readonly value: unknown;
  /** The line (from 1) where the key at `path` stands, or the nearest one above it. */
  lineOf(path: readonly PropertyKey[]): number;
}

/** Throws ConfigError: not YAML. `source` is the file's name in messages. */
export function parseYaml(source: string, text: string): YamlFile {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    lineCounter,
    schema: 'failsafe',
    prettyErrors: false,
  });
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ pos, message }) => {
      return { source, line: lineCounter.linePos(pos[0]).line, message };
    });
    throw new ConfigError(problems);
  }
  const lineOf: YamlFile['lineOf'] = (path) => lineCounter.linePos(offsetOf(document, path)).line;
  try {
    return { value: document.toJS() ?? {}, lineOf };
  } catch (error) {
    // Aliases within aliases, made to take all memory.
    throw new ConfigError([{ source, message: (error as Error).message }]);
  }
}

function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  let node = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const part of path) {
    let next: Node | null | undefined;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === part);
      offset = isScalar(pair?.key) ? (pair.key.range?.[0] ?? offset) : offset;
      next = pair?.value as Node | null | undefined;
    } else if (isSeq(node)) {
      next = node.items[Number(part)] as Node | undefined;
      offset = next?.range?.[0] ?? offset;
    }
    node = next ?? null;
  }
  return offset;
}
