// What documents say about the repository and a program can check: that links lead somewhere, and
// that every stable error code is explained in docs/errors.md, and no other.

import { posix } from 'node:path';

import { maskSource } from './mask.ts';
import {
  lineAt,
  type Rule,
  type SourceFile,
  sourcesOf,
  type Tree,
  type Violation,
} from './tree.ts';

const ERRORS_PAGE = 'docs/errors.md';

export const checkLinks: Rule = (tree) =>
  documentsOf(tree).flatMap(([path, text]) => {
    const prose = maskCode(text);
    return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap((match): Violation[] => {
      const message = whyBroken(tree, path, match[1]!);
      return message === undefined ? [] : [{ path, line: lineAt(prose, match.index), message }];
    });
  });

function documentsOf(tree: Tree): (readonly [path: string, text: string])[] {
  return [...tree].filter(([path]) => path.endsWith('.md') && !path.includes('/testdata/'));
}

/** Code in a document only shows links. Lines stay as they are. */
function maskCode(text: string): string {
  return text.replaceAll(/^```.*?^```$|`[^`\n]*`/gms, (code) => code.replaceAll(/[^\n]/g, ' '));
}

function whyBroken(tree: Tree, from: string, link: string): string | undefined {
  if (/^[a-z]+:/.test(link)) return undefined;
  const [file = '', anchor] = link.split('#', 2);
  const target = file === '' ? from : posix.join(posix.dirname(from), file);
  const text = tree.get(target);
  if (text === undefined) {
    const folder = target.endsWith('/') ? target : `${target}/`;
    const isFolder = [...tree.keys()].some((path) => path.startsWith(folder));
    return isFolder ? undefined : `The link ${link} leads to ${target}, which is not there`;
  }
  if (anchor === undefined || !target.endsWith('.md') || anchorsOf(text).has(anchor)) {
    return undefined;
  }
  return `The link ${link} leads to no heading of ${target}`;
}

/** As GitHub names headings, and anchors that are set by hand. */
function anchorsOf(text: string): Set<string> {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
  const byHand = [...text.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id!);
  return new Set([...headings, ...byHand]);
}

export const checkErrorCodes: Rule = (tree) => {
  const page = tree.get(ERRORS_PAGE) ?? '';
  const documented = new Map(
    [...page.matchAll(/^\| `([A-Z0-9_]+)`/gm)].map((match) => [match[1]!, match.index]),
  );
  const declared = sourcesOf(tree).flatMap(codesIn);
  const missing = declared
    .filter(({ code }) => !documented.has(code))
    .map(({ code, path, line }) => ({
      path,
      line,
      message: `${code} is not in ${ERRORS_PAGE}: say there what it means and what to do`,
    }));
  const known = new Set(declared.map(({ code }) => code));
  const stale = [...documented]
    .filter(([code]) => !known.has(code))
    .map(([code, offset]) => ({
      path: ERRORS_PAGE,
      line: lineAt(page, offset),
      message: `${code} is the code of no error: remove its row`,
    }));
  return [...missing, ...stale];
};

interface DeclaredCode {
  readonly code: string;
  readonly path: string;
  readonly line: number;
}

/** `type XCode = 'A' | 'B';`, and the only values of a class's field `code`, or its base's. */
const DECLARATION =
  /\btype \w*Code\s*=[^;]+;|\breadonly code\s*[:=][^;]+;|\bextends CodedError<[^>]+>/g;

const CODE = /'([A-Z][A-Z0-9_]+)'/g;

function codesIn({ path, text, packageFolder, isTest }: SourceFile): DeclaredCode[] {
  if (packageFolder === undefined || packageFolder === 'testkit' || isTest) return [];
  const code = maskSource(text, { keepsStrings: true });
  return [...code.matchAll(DECLARATION)].flatMap((declaration) =>
    [...declaration[0].matchAll(CODE)].map((match) => ({
      code: match[1]!,
      path,
      line: lineAt(code, declaration.index + match.index),
    })),
  );
}
