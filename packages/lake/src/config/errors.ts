// What is wrong with a configuration, all of it at once: who mends a file likes to do so in one go.

export interface LakeConfigProblem {
  /** `lake.yml:12`, `SKEIN_LAKE_HTTP_ADDRESS`, `--address`. */
  readonly place: string;
  /** `http.address`; undefined where it is no matter of one key. */
  readonly key: string | undefined;
  readonly message: string;
}

export class LakeConfigError extends Error {
  override readonly name = 'LakeConfigError';
  readonly code = 'LAKE_CONFIG';
  readonly problems: readonly LakeConfigProblem[];

  constructor(problems: readonly LakeConfigProblem[]) {
    super(problems.map(formatProblem).join('\n'));
    this.problems = problems;
  }
}

/** `lake.yml:12: http.address: …` */
export function formatProblem({ place, key, message }: LakeConfigProblem): string {
  return key === undefined || key === place
    ? `${place}: ${message}`
    : `${place}: ${key}: ${message}`;
}
