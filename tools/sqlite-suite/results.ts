// Verdicts on the disk: a line of JSON each, written as soon as it is known, so that a run that was
// interrupted can go on. The last line about a file counts.

import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';

import type { Verdict } from './verdict.ts';

export class Results {
  readonly #path: string;
  readonly #verdicts = new Map<string, Verdict>();

  constructor(path: string) {
    this.#path = path;
    if (!existsSync(path)) return;
    const text = readFileSync(path, 'utf8');
    if (text !== '' && !text.endsWith('\n')) appendFileSync(path, '\n');
    for (const line of text.split('\n')) {
      const verdict = parseLine(line);
      if (verdict !== undefined) this.#verdicts.set(verdict.file, verdict);
    }
  }

  get(file: string): Verdict | undefined {
    return this.#verdicts.get(file);
  }

  remove(files: readonly string[]): void {
    for (const file of files) this.#verdicts.delete(file);
    const lines = [...this.#verdicts.values()].map((verdict) => `${JSON.stringify(verdict)}\n`);
    writeFileSync(this.#path, lines.join(''));
  }

  add(verdict: Verdict): void {
    this.#verdicts.set(verdict.file, verdict);
    appendFileSync(this.#path, `${JSON.stringify(verdict)}\n`);
  }

  has(file: string): boolean {
    return this.#verdicts.has(file);
  }
}

/** Undefined for a line that an interruption cut off. */
function parseLine(line: string): Verdict | undefined {
  try {
    return JSON.parse(line) as Verdict;
  } catch {
    return undefined;
  }
}
