// Patterns of paths in the configuration. `*` stands for any characters and is the only one that is
// special; the pattern is for the whole path. These are LiteFS's rules. What begins with `/^` and
// ends with `/` is a regular expression: no path begins so.

import { ProxyError } from './errors.ts';

export type PathTest = (path: string) => boolean;

/** Throws ProxyError for a regular expression that is none. */
export function compilePatterns(patterns: readonly string[]): PathTest {
  const expressions = patterns.map((pattern) => compile(pattern));
  return (path) => expressions.some((expression) => expression.test(path));
}

function compile(pattern: string): RegExp {
  if (!/^\/\^.*\/$/.test(pattern)) return new RegExp(`^${escape(pattern)}$`, 's');
  try {
    return new RegExp(pattern.slice(1, -1));
  } catch (cause) {
    throw new ProxyError('PROXY_PATTERN', `Cannot use the pattern ${pattern}`, { cause });
  }
}

function escape(pattern: string): string {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[\\^$.+?()[\]{}|/-]/g, '\\$&'));
  return parts.join('.*');
}
