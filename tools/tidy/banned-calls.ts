// Calls that work and are still wrong here, each with its replacement.

import { importsOf } from './imports.ts';
import { maskSource } from './mask.ts';
import { lineAt, type Rule, type SourceFile, sourcesOf } from './tree.ts';

interface Ban {
  readonly pattern: RegExp;
  readonly message: string;
  readonly isAllowed: (source: SourceFile) => boolean;
}

const isShipped = ({ packageFolder, isTest }: SourceFile): boolean =>
  packageFolder !== undefined && packageFolder !== 'testkit' && !isTest;

/** The places that turn the end of a program into an exit code. */
const EXIT_FILES =
  /^(?:packages\/skein\/src\/cli\/main\.ts|examples\/[^/]+\/main\.ts|tools\/run\.mjs)$/;

const CALLS: readonly Ban[] = [
  {
    pattern: /\bMath\.random\b/g,
    message: 'Take a Random of host; in tests a SeededRandom, so that failures can be replayed',
    isAllowed: () => false,
  },
  {
    pattern: /\bDate\.now\b|\bnew Date\(\)/g,
    message: 'Take a Clock of host: tests decide what time it is',
    isAllowed: (source) => !isShipped(source) || source.packageFolder === 'host',
  },
  {
    pattern: /\bperformance\.now\b|\bset(?:Timeout|Interval|Immediate)\b/g,
    message: 'The engine has no time of its own: take a Clock, and let the caller wake it',
    isAllowed: (source) => !isShipped(source) || source.packageFolder !== 'engine',
  },
  {
    pattern: /\bconsole\.\w+/g,
    message: 'Write to a Log of host: people filter it, programs parse it',
    isAllowed: (source) => !isShipped(source) || source.path.startsWith('packages/skein/src/cli/'),
  },
  {
    pattern: /\bprocess\.(?:exit|abort|reallyExit)\b/g,
    message: 'Return or throw; only the main file ends the process, when all is put away',
    isAllowed: ({ path }) => EXIT_FILES.test(path),
  },
  {
    pattern: /\bexecSync\b|\bshell: true\b/g,
    message: 'Pass the arguments as a list (execFileSync, spawnSync): a shell would read them',
    isAllowed: () => false,
  },
];

export const checkBannedCalls: Rule = (tree) =>
  sourcesOf(tree).flatMap((source) => {
    const code = maskSource(source.text);
    return CALLS.filter(({ isAllowed }) => !isAllowed(source)).flatMap(({ pattern, message }) =>
      [...code.matchAll(pattern)].map((match) => ({
        path: source.path,
        line: lineAt(code, match.index),
        message: `${match[0]} is banned here. ${message}`,
      })),
    );
  });

interface ImportBan {
  readonly folders: readonly string[];
  readonly pattern: RegExp;
  readonly message: string;
}

const IMPORTS: readonly ImportBan[] = [
  {
    folders: ['engine'],
    pattern: /^node:(?:fs|child_process|net|http|https|timers|crypto)\b/,
    message: 'The engine sees the world through the ports of host, which tests can simulate',
  },
  {
    folders: ['engine', 'fuse'],
    pattern: /^node:fs\/promises$/,
    message: 'Asynchronous file calls share one pool of threads, which a mount of ours can block',
  },
];

export const checkBannedImports: Rule = (tree) =>
  sourcesOf(tree).flatMap((source) => {
    if (source.packageFolder === undefined || source.isTest) return [];
    const bans = IMPORTS.filter(({ folders }) => folders.includes(source.packageFolder!));
    return importsOf(source).flatMap(({ specifier, line }) =>
      bans
        .filter(({ pattern }) => pattern.test(specifier))
        .map(({ message }) => ({
          path: source.path,
          line,
          message: `${specifier} is banned here. ${message}`,
        })),
    );
  });
