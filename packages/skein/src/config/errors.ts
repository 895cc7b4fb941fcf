// What is wrong with a configuration, all of it at once: who mends a file likes to do so in one go.

export interface ConfigProblem {
  /** File or "command line". */
  readonly source: string;
  /** From 1; undefined where it is no matter of one line. */
  readonly line?: number;
  /** "data.retention" or "--retention". */
  readonly key?: string;
  readonly message: string;
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'CONFIG_INVALID';
  readonly problems: readonly ConfigProblem[];
  readonly hint: string | undefined;

  constructor(problems: readonly ConfigProblem[], options: { readonly hint?: string } = {}) {
    super(problems.map(formatProblem).join('\n'));
    this.problems = problems;
    this.hint = options.hint;
  }
}

/** `skein.yml:12: data.retention: …` */
export function formatProblem({ source, line, key, message }: ConfigProblem): string {
  const place = line === undefined ? source : `${source}:${line}`;
  return key === undefined ? `${place}: ${message}` : `${place}: ${key}: ${message}`;
}
