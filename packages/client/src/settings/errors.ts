// What is wrong with settings, all of it at once: who mends them likes to do so in one go.

import { SkeinError } from '../errors.ts';

export interface SettingProblem {
  /** As it was given: `proxyAddr`, or the name of an environment variable. */
  readonly setting: string;
  /** What is wrong with it, with what would be accepted. */
  readonly message: string;
}

/** Settings that cannot be; `problems` names each of them. */
export class SettingsError extends SkeinError {
  override readonly name = 'SettingsError';
  readonly problems: readonly SettingProblem[];

  constructor(problems: readonly SettingProblem[]) {
    super('SETTINGS_INVALID', problems.map(describe).join('\n'));
    this.problems = problems;
  }
}

function describe({ setting, message }: SettingProblem): string {
  return `${setting}: ${message}`;
}
