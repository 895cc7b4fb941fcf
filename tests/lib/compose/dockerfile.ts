// The instructions of a Dockerfile, taken apart and not yet carried out.
// https://docs.docker.com/reference/dockerfile/
//
// It refuses heredocs and other escapes than the backslash: they would be read wrongly.

import { ComposeFileError } from './reader.ts';

export interface Instruction {
  /** From 1. */
  readonly line: number;
  /** In capitals: "COPY". */
  readonly name: string;
  /** "--from=build" as `from: build`. */
  readonly flags: Readonly<Record<string, string>>;
  /** What follows the flags, its lines joined. */
  readonly rest: string;
}

export interface Stage {
  /** Of FROM: an image, or the name of an earlier stage. */
  readonly base: string;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

export interface Dockerfile {
  /** ARG before the first FROM. */
  readonly globalArgs: readonly Instruction[];
  readonly stages: readonly Stage[];
}

/** Throws ComposeFileError. */
export function parseDockerfile(path: string, text: string): Dockerfile {
  const globalArgs: Instruction[] = [];
  const stages: (Stage & { readonly instructions: Instruction[] })[] = [];
  for (const instruction of readInstructions(path, text)) {
    const { name, rest, line } = instruction;
    const current = stages.at(-1);
    if (name === 'FROM') {
      const match = /^(\S+)(?:\s+AS\s+(\S+))?$/i.exec(rest);
      if (match === null) throw new ComposeFileError(path, [`line ${line}: expected FROM IMAGE`]);
      stages.push({ base: match[1]!, name: match[2], instructions: [] });
    } else if (current !== undefined) {
      current.instructions.push(instruction);
    } else if (name === 'ARG') {
      globalArgs.push(instruction);
    } else {
      throw new ComposeFileError(path, [`line ${line}: ${name} before FROM`]);
    }
  }
  if (stages.length === 0) throw new ComposeFileError(path, ['there is no FROM']);
  return { globalArgs, stages };
}

function readInstructions(path: string, text: string): Instruction[] {
  const instructions: Instruction[] = [];
  let line = 0;
  let start = 0;
  let joined = '';
  for (const raw of text.split('\n')) {
    line += 1;
    // Comments and empty lines count for nothing, in the middle of an instruction as well.
    if (/^\s*(?:#|$)/.test(raw)) continue;
    if (joined === '') start = line;
    const continued = /^(.*)\\\s*$/.exec(raw);
    joined += continued === null ? raw.trim() : `${continued[1]!.trim()} `;
    if (continued !== null) continue;
    instructions.push(readInstruction(path, start, joined));
    joined = '';
  }
  return instructions;
}

function readInstruction(path: string, line: number, text: string): Instruction {
  const [, name = '', tail = ''] = /^(\w+)\s+(.*)$/.exec(text) ?? [];
  if (name === '' || tail.includes('<<')) {
    throw new ComposeFileError(path, [`line ${line}: cannot read ${JSON.stringify(text)}`]);
  }
  const flags: Record<string, string> = {};
  let rest = tail;
  for (;;) {
    const match = /^--([\w-]+)(?:=(\S+))?\s+/.exec(rest);
    if (match === null) break;
    flags[match[1]!] = match[2] ?? '';
    rest = rest.slice(match[0].length);
  }
  return { line, name: name.toUpperCase(), flags, rest: rest.trim() };
}

/** `["node", "server.js"]` as it is; anything else is for a shell. */
export function readCommandForm(rest: string): readonly string[] {
  return maybeJsonList(rest) ?? ['/bin/sh', '-c', rest];
}

/** Undefined when it is no JSON list of texts. */
export function maybeJsonList(rest: string): readonly string[] | undefined {
  if (!rest.startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(rest);
    const isList = Array.isArray(value) && value.every((each) => typeof each === 'string');
    return isList ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Words as in ENV and COPY, without quotes. */
export function splitWords(rest: string): string[] {
  const words = rest.matchAll(/(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|((?:[^\s"'\\]|\\.)+))+/g);
  return [...words].map(([word]) =>
    word
      .replaceAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'/g, (_all, double?: string, single?: string) => {
        return double ?? single ?? '';
      })
      .replaceAll(/\\(.)/g, '$1'),
  );
}
