// Queries that were run in this browser, the newest first. They stay in it.

export interface HistoryEntry {
  readonly sql: string;
  readonly at: number;
  readonly ms: number;
  /** Undefined: it failed. */
  readonly rowCount: number | undefined;
}

const KEY = 'skein-lake-history';
const COUNT_MAX = 100;
/** A browser keeps some 5 MB for a site. */
const SQL_LENGTH_MAX = 20_000;

export class QueryHistory {
  readonly #storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  #entries: readonly HistoryEntry[];

  constructor(storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>) {
    this.#storage = storage;
    this.#entries = read(storage.getItem(KEY));
  }

  get entries(): readonly HistoryEntry[] {
    return this.#entries;
  }

  /** What was run before moves to the front. */
  add(entry: HistoryEntry): void {
    if (entry.sql.length > SQL_LENGTH_MAX) return;
    const others = this.#entries.filter(({ sql }) => sql !== entry.sql);
    this.#entries = [entry, ...others].slice(0, COUNT_MAX);
    try {
      this.#storage.setItem(KEY, JSON.stringify(this.#entries));
    } catch {
      // It is full, or the browser keeps nothing: the list lives as long as the page.
    }
  }

  clear(): void {
    this.#entries = [];
    this.#storage.removeItem(KEY);
  }
}

/** Whatever another version, or somebody by hand, has left there. */
function read(text: string | null): readonly HistoryEntry[] {
  if (text === null) return [];
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter(isEntry) : [];
  } catch {
    return [];
  }
}

function isEntry(value: unknown): value is HistoryEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { sql, at, ms } = value as Record<string, unknown>;
  return typeof sql === 'string' && typeof at === 'number' && typeof ms === 'number';
}
