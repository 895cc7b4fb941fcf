// A result as it comes: JSON lines in pieces that end anywhere. Integers that JavaScript's numbers
// cannot hold stay as they were written.
//
// A server that fails in the middle says so in a last line, `{"skein_error": {…}}`, and cuts the
// connection.

export type Row = Readonly<Record<string, unknown>>;

export interface LateError {
  readonly code: string;
  readonly message: string;
}

const ERROR_KEY = 'skein_error';

export class JsonLines {
  #rest = '';
  #error: LateError | undefined;

  /** What the server has said of its failure, if it has failed. */
  get error(): LateError | undefined {
    return this.#error;
  }

  /** The rows that are whole now. */
  push(text: string): Row[] {
    const lines = `${this.#rest}${text}`.split('\n');
    this.#rest = lines.pop()!;
    return lines.flatMap((line) => this.#read(line));
  }

  end(): Row[] {
    const line = this.#rest;
    this.#rest = '';
    return line.trim() === '' ? [] : this.#read(line);
  }

  #read(line: string): Row[] {
    if (line === '') return [];
    const row = JSON.parse(line, keepLargeIntegers) as Row;
    const keys = Object.keys(row);
    if (keys.length !== 1 || keys[0] !== ERROR_KEY || !isLateError(row[ERROR_KEY])) return [row];
    this.#error = row[ERROR_KEY];
    return [];
  }
}

function isLateError(value: unknown): value is LateError {
  return typeof value === 'object' && value !== null && 'code' in value && 'message' in value;
}

/** Browsers that do not tell the source give the nearest number. */
function keepLargeIntegers(_: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source;
  return source !== undefined && /^-?\d{16,}$/.test(source) ? source : value;
}
