// What is wrong with a configuration, all of it at once: who mends a file likes to do so in one go.

import { CodedError, type CodedErrorOptions } from '@skein/bytes';

export interface ConfigProblem {
  /** File or "command line". */
  readonly source: string;
  /** From 1; undefined where it is no matter of one line. */
  readonly line?: number;
  /** "data.retention" or "--retention". */
  readonly key?: string;
  readonly message: string;
}

export class ConfigError extends CodedError<'CONFIG_INVALID'> {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[], options: CodedErrorOptions = {}) {
    super('CONFIG_INVALID', problems.map(formatProblem).join('\n'), options);
    this.problems = problems;
  }
}

/** `skein.yml:12: data.retention: …` */
export function formatProblem({ source, line, key, message }: ConfigProblem): string {
  const place = line === undefined ? source : `${source}:${line}`;
  return key === undefined ? `${place}: ${message}` : `${place}: ${key}: ${message}`;
}
