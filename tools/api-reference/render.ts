// The reference as a page: entry by entry, functions and classes first, then what they take and
// give.

import type { Declaration } from './declarations.ts';
import type { Entry } from './package-api.ts';

const FENCE = '```';
const ORDER: readonly Declaration['kind'][] = ['function', 'class', 'const', 'interface', 'type'];

export function renderReference(title: string, entries: readonly Entry[]): string {
  const told = new Map<Declaration['code'], string>();
  const sections = entries.map((entry) => renderEntry(entry, told));
  return [
    `# ${title}`,
    'Everything that is exported, as it is declared. This page is made from the comments in the\n' +
      'sources, by `npm run api-reference`; a test fails when it is out of date.',
    ...sections,
  ].join('\n\n');
}

function renderEntry({ specifier, exports }: Entry, told: Map<string, string>): string {
  const rank = ({ kind }: Declaration): number => ORDER.indexOf(kind);
  const sorted = [...exports].sort((a, b) => rank(a) - rank(b));
  return [`## ${specifier}`, ...sorted.map((each) => renderExport(each, specifier, told))].join(
    '\n\n',
  );
}

/** What several entries export is described where it is met first. */
function renderExport(
  { name, kind, text, code }: Declaration,
  specifier: string,
  told: Map<string, string>,
): string {
  const heading = `### ${name}`;
  const before = told.get(code);
  if (before !== undefined) return `${heading}\n\nThe ${kind} of \`${before}\`.`;
  told.set(code, specifier);
  const block = `${FENCE}ts\n${code}\n${FENCE}`;
  return [heading, ...(text === '' ? [] : [text]), block].join('\n\n');
}
