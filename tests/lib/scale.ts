// How much a test does: enough to find mistakes in seconds, or what the project promises.

const isLarge = process.env['SKEIN_TEST_LARGE'] === '1';

/** `small` in every run, `large` with SKEIN_TEST_LARGE=1. */
export function scaled(small: number, large: number): number {
  return isLarge ? large : small;
}

/** Of the tests with chance in them. */
export const SEED = Number(process.env['SEED'] ?? 1);

/** For the title of a suite or the message of a failure. */
export function replayHint(seed: number, part: string): string {
  return `seed ${seed}, replay with SEED=${seed} npm test -- cluster ${part}`;
}
