// lake.yml: sections of keys, each value a text until its key says what it means.

import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';

import { type Source, NO_SOURCE, type WrittenSetting } from './draft.ts';
import type { LakeConfigProblem } from './errors.ts';

/** Names keep their `-`; a section within a section is named with a `.`. */
export function yamlSource(fileName: string, content: string): Source {
  const lines = new LineCounter();
  const document = parseDocument(content, {
    lineCounter: lines,
    schema: 'failsafe',
    prettyErrors: false,
  });
  const placeAt = (offset: number): string => `${fileName}:${lines.linePos(offset).line}`;
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ pos, message }): LakeConfigProblem => {
      return { place: placeAt(pos[0]), key: undefined, message };
    });
    return { ...NO_SOURCE, problems };
  }
  const draft = new Map<string, WrittenSetting>();
  const problems: LakeConfigProblem[] = [];
  const visit = (node: Node | null, key: string, offset: number): void => {
    const place = placeAt(node?.range?.[0] ?? offset);
    if (isMap(node)) {
      for (const pair of node.items) {
        const name = isScalar(pair.key) ? String(pair.key.value) : '?';
        const at = isScalar(pair.key) ? (pair.key.range?.[0] ?? offset) : offset;
        visit(pair.value as Node | null, key === '' ? name : `${key}.${name}`, at);
      }
    } else if (isSeq(node)) {
      node.items.forEach((item, index) => visit(item as Node, `${key}.${index}`, offset));
    } else if (isScalar(node)) {
      // A section may be left empty, as all of the file may.
      if (node.value !== '' && key !== '') draft.set(key, { text: String(node.value), place });
    } else if (node !== null) {
      problems.push({ place, key, message: 'aliases are not supported' });
    }
  };
  visit(document.contents, '', 0);
  return { draft, problems, notes: [] };
}
