// How the trace writes values, so that a line stays a line and a word a word.

/** A name in quotes when it holds something that would break the line, else as it is. */
export function quote(name: string): string {
  return /^[\w.@+,:/-]+$/.test(name) ? name : JSON.stringify(name);
}

/** A mode as people write it: 100644. */
export function octal(mode: number): string {
  return mode.toString(8);
}

/** " flags=CACHE" or nothing: for words that are zero in most messages. */
export function unlessZero(label: string, value: number, text: string): string {
  return value === 0 ? '' : ` ${label}=${text}`;
}

/** Seconds and nanoseconds since the epoch as one number with a fraction. */
export function time(seconds: number, nanoseconds: number): string {
  return nanoseconds === 0 ? `${seconds}` : `${seconds}.${String(nanoseconds).padStart(9, '0')}`;
}
