// Reads declaration files as the compiler of TypeScript writes them: one statement after the other,
// each with its comment right above it, blocks indented. It is no parser of TypeScript: it knows
// the ways in which that compiler lays its output out, and refuses what it does not know.

export interface Declaration {
  readonly name: string;
  readonly kind: 'class' | 'const' | 'function' | 'interface' | 'type';
  /** Its comment, without the asterisks; empty if it has none. */
  readonly text: string;
  /** As it was declared, without its comment and without what is private. */
  readonly code: string;
}

/** A name that a file exports of another file, or under another name of its own. */
export interface Reexport {
  readonly name: string;
  readonly localName: string;
  /** Undefined: of the same file. */
  readonly path: string | undefined;
}

export interface DeclarationFile {
  readonly declarations: readonly Declaration[];
  readonly reexports: readonly Reexport[];
}

const COMMENT = /^\/\*\*(.*?)\*\/$/s;
const HEAD =
  /^(?:export )?(?:declare )?(?:abstract )?(class|const|function|interface|type) ([\w$]+)/;
const EXPORT_LIST = /^export (?:type )?\{(.*)\}(?: from '(.+)')?;$/s;
/** Said by hand where the compiler has nothing of its own to say. */
const IGNORED = /^(?:import\b|\/\/#|declare module\b|export \{\s*\};?$)/;

/** Throws RangeError for a statement that it does not know. */
export function readDeclarations(source: string): DeclarationFile {
  const declarations: Declaration[] = [];
  const reexports: Reexport[] = [];
  let text = '';
  for (const statement of statementsOf(source)) {
    const comment = COMMENT.exec(statement)?.[1];
    if (comment !== undefined) {
      text = readComment(comment);
      continue;
    }
    const list = EXPORT_LIST.exec(statement);
    const [, kind, name] = HEAD.exec(statement) ?? [];
    if (list !== null) reexports.push(...readList(list[1]!, list[2]));
    else if (name !== undefined) {
      const code = readCode(statement);
      declarations.push({ name, kind: kind as Declaration['kind'], text, code });
    } else if (!IGNORED.test(statement)) {
      throw new RangeError(`What kind of declaration is this? ${statement.slice(0, 80)}`);
    }
    text = '';
  }
  return { declarations, reexports };
}

/** Comments and statements, at the outermost level. */
function statementsOf(source: string): string[] {
  const statements: string[] = [];
  let lines: string[] = [];
  for (const line of source.split('\n')) {
    if (line === '' && lines.length === 0) continue;
    lines.push(line);
    if (!endsStatement(line, lines[0]!)) continue;
    statements.push(lines.join('\n'));
    lines = [];
  }
  if (lines.length > 0) throw new RangeError(`This does not end: ${lines[0]}`);
  return statements;
}

function endsStatement(line: string, first: string): boolean {
  if (first.startsWith('/**')) return line.endsWith('*/');
  if (first.startsWith('//')) return true;
  // What belongs to a block is indented, all but its last line; a member of a union by one blank.
  return !line.startsWith('    ') && /[;}]$/.test(line);
}

function readComment(inside: string): string {
  const lines = inside.split('\n').map((line) => line.replace(/^\s*\* ?/, '').trim());
  return lines.join('\n').trim();
}

function readList(names: string, path: string | undefined): Reexport[] {
  return names
    .split(',')
    .map((each) => each.trim().replace(/^type /, ''))
    .filter((each) => each !== '')
    .map((each) => {
      const [localName, name = localName] = each.split(' as ');
      return { name: name!, localName: localName!, path };
    });
}

function readCode(statement: string): string {
  return statement
    .replace(/^(?:export )?(?:declare )?/, '')
    .replaceAll(/^ +(?:#private|private .*|protected .*);\n/gm, '');
}
