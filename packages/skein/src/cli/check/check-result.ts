// What one check found.

/** `fail`: no mount is possible like that; `warn`: one is, but slower, or not for long. */
export type CheckLevel = 'ok' | 'warn' | 'fail';

export interface CheckResult {
  /** Which part of the machine: "device", "space". */
  readonly name: string;
  readonly level: CheckLevel;
  /** What was found. */
  readonly message: string;
  /** How to mend it. */
  readonly fix?: string;
}
