// Reading a document key by key, strictly: what is not asked for is an error, and all errors are
// told at once, each with the place in the document.

/** A file says something that is wrong, or that the runner does not know. */
export class ComposeFileError extends Error {
  override readonly name = 'ComposeFileError';
  readonly problems: readonly string[];

  constructor(file: string, problems: readonly string[]) {
    super(`${file}:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/** Part of a document at a place in it: "services.node1.ports". */
export class Reader {
  readonly value: unknown;
  readonly #place: string;
  readonly #problems: string[];

  constructor(value: unknown, place: string, problems: string[]) {
    this.value = value;
    this.#place = place;
    this.#problems = problems;
  }

  get isAbsent(): boolean {
    return this.value === undefined || this.value === null;
  }

  /** What is read instead of a wrong value does not matter: the problem is told in the end. */
  fail<T>(message: string, instead: T): T {
    this.#problems.push(`${this.#place}: ${message}`);
    return instead;
  }

  at(key: string | number, value: unknown): Reader {
    const place = this.#place === '' ? String(key) : `${this.#place}.${key}`;
    return new Reader(value, place, this.#problems);
  }

  /** The keys of a mapping, of which there are no others. */
  keys<K extends string>(...known: readonly K[]): Readonly<Record<K, Reader>> {
    const mapping = this.#mapping();
    for (const key of Object.keys(mapping)) {
      // Compose ignores what begins with x-: people put there what they merge.
      if ((known as readonly string[]).includes(key) || key.startsWith('x-')) continue;
      this.at(key, undefined).fail(`there is no such key (known: ${known.join(', ')})`, undefined);
    }
    return Object.fromEntries(known.map((key) => [key, this.at(key, mapping[key])])) as Readonly<
      Record<K, Reader>
    >;
  }

  /** A mapping with keys of the author's choice. */
  entries(): readonly (readonly [name: string, reader: Reader])[] {
    return Object.entries(this.#mapping()).map(([key, value]) => [key, this.at(key, value)]);
  }

  /** A list; a single text is a list of one. */
  list(): readonly Reader[] {
    if (this.isAbsent) return [];
    if (Array.isArray(this.value)) return this.value.map((value, index) => this.at(index, value));
    if (typeof this.value === 'object') return this.fail('expected a list', []);
    return [this];
  }

  /** A list of texts, or a mapping of names to texts: `NAME=value` in both spellings. */
  pairs(): ReadonlyMap<string, string | undefined> {
    if (this.isAbsent) return new Map();
    if (!Array.isArray(this.value)) {
      return new Map(
        this.entries().map(([key, reader]) => [key, reader.isAbsent ? undefined : reader.text()]),
      );
    }
    return new Map(
      this.list().map((reader) => {
        const text = reader.text();
        const end = text.indexOf('=');
        return end === -1 ? [text, undefined] : [text.slice(0, end), text.slice(end + 1)];
      }),
    );
  }

  text(): string {
    if (typeof this.value === 'string') return this.value;
    if (typeof this.value === 'number' || typeof this.value === 'boolean') {
      return String(this.value);
    }
    return this.fail('expected a text', '');
  }

  maybeText(): string | undefined {
    return this.isAbsent ? undefined : this.text();
  }

  flag(): boolean {
    if (this.isAbsent) return false;
    return typeof this.value === 'boolean'
      ? this.value
      : this.fail('expected true or false', false);
  }

  count(otherwise: number): number {
    if (this.isAbsent) return otherwise;
    const value = Number(this.value);
    return Number.isInteger(value) && value >= 0 ? value : this.fail('expected a number', 0);
  }

  /** "1m30s", "500ms". */
  durationMs(otherwise: number): number {
    if (this.isAbsent) return otherwise;
    const text = this.text();
    const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
    if (parts.map(([part]) => part).join('') !== text || parts.length === 0) {
      return this.fail(`${JSON.stringify(text)} is no duration`, 0);
    }
    return parts.reduce((sum, [, count, unit]) => sum + Number(count) * UNIT_MS[unit!]!, 0);
  }

  choice<T extends string>(known: readonly T[], otherwise: T): T {
    if (this.isAbsent) return otherwise;
    const found = known.find((each) => each === this.text());
    return found ?? this.fail(`expected one of ${known.join(', ')}`, otherwise);
  }

  #mapping(): Readonly<Record<string, unknown>> {
    if (this.isAbsent) return {};
    if (typeof this.value === 'object' && !Array.isArray(this.value)) {
      return this.value as Readonly<Record<string, unknown>>;
    }
    return this.fail('expected keys and values', {});
  }
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
