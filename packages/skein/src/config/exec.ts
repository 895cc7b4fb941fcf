// The key `exec`: a command line, or a list of them.

import type { ExecCommand } from './mount-config.ts';
import { parseBoolean } from './values.ts';
import { splitShellWords } from './shell-words.ts';

export interface ExecEntry {
  readonly command: ExecCommand;
  /** LiteFS: only on a node that can become primary. */
  readonly isForCandidates: boolean;
}

/**
 * Reads a text, or a list of texts and `{ cmd: … }` mappings with no keys but `keys`. Throws
 * RangeError.
 */
export function readExec(value: unknown, keys: readonly string[]): ExecEntry[] {
  if (typeof value === 'string') return value === '' ? [] : [readEntry({ cmd: value })];
  if (!Array.isArray(value)) {
    throw new RangeError('expected a command line here, or a list of them');
  }
  return value.map((item: unknown) => {
    if (typeof item === 'string') return readEntry({ cmd: item });
    if (Array.isArray(item)) throw new RangeError('expected a command line here, not a list');
    const entry = item as Readonly<Record<string, unknown>>;
    const unknown = Object.keys(entry).find((key) => !keys.includes(key));
    if (unknown === undefined) return readEntry(entry);
    throw new RangeError(`there is no key ${JSON.stringify(unknown)} (known: ${keys.join(', ')})`);
  });
}

/** A command of which the words are known. Throws RangeError if there are none. */
export function toCommand(words: readonly string[]): ExecCommand {
  const [program, ...args] = words;
  if (program === undefined || program === '') throw new RangeError('the command is empty');
  return [program, ...args];
}

function readEntry(entry: Readonly<Record<string, unknown>>): ExecEntry {
  const { cmd, 'if-candidate': ifCandidate = 'false' } = entry;
  if (typeof cmd !== 'string') throw new RangeError('expected cmd to be a command line');
  if (typeof ifCandidate !== 'string') {
    throw new RangeError('expected if-candidate to be true or false');
  }
  return { command: toCommand(splitShellWords(cmd)), isForCandidates: parseBoolean(ifCandidate) };
}
