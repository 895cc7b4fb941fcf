// The SQL editor: highlighting, and completion of keywords and of what the catalog has.

import { PostgreSQL, schemaCompletionSource, sql, type SQLNamespace } from '@codemirror/lang-sql';
import { basicSetup, EditorView } from 'codemirror';

import type { Catalog } from './api.ts';

export interface Editor {
  /** What is selected, or all. */
  readonly query: string;
  replace(text: string): void;
  complete(catalog: Catalog): void;
  focus(): void;
}

type CompletionSource = ReturnType<typeof schemaCompletionSource>;

const THEME = EditorView.theme({
  '&': { height: '100%', fontSize: '14px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.5' },
  '&.cm-focused': { outline: 'none' },
});

export function createEditor(parent: HTMLElement, text: string, run: () => void): Editor {
  let completion: CompletionSource = () => null;
  const view = new EditorView({
    doc: text,
    parent,
    extensions: [
      basicSetup,
      // DuckDB's language is the nearest to it.
      sql({ dialect: PostgreSQL, upperCaseKeywords: true }),
      PostgreSQL.language.data.of({
        autocomplete: (context: Parameters<CompletionSource>[0]) => completion(context),
      }),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ 'aria-label': 'SQL' }),
      THEME,
    ],
  });
  // Before the editor makes a line break of it.
  parent.addEventListener(
    'keydown',
    (event) => {
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      event.stopPropagation();
      run();
    },
    { capture: true },
  );
  return {
    get query() {
      const { from, to } = view.state.selection.main;
      return from === to ? view.state.doc.toString() : view.state.sliceDoc(from, to);
    },
    replace(insert) {
      view.dispatch({
        changes: { from: 0, to: view.state.doc.length, insert },
        selection: { anchor: insert.length },
        scrollIntoView: true,
      });
    },
    complete(catalog) {
      completion = schemaCompletionSource({ schema: namespaceOf(catalog), dialect: PostgreSQL });
    },
    focus: () => view.focus(),
  };
}

/** Tables by their own names too, where that is clear. */
function namespaceOf({ schemas }: Catalog): SQLNamespace {
  const namespace: Record<string, SQLNamespace> = {};
  for (const schema of schemas) {
    const tables: Record<string, readonly string[]> = {};
    for (const { name, columns } of schema.tables) {
      tables[name] = columns.map((column) => column.name);
      namespace[name] ??= tables[name];
    }
    namespace[schema.name] = tables;
  }
  return namespace;
}
