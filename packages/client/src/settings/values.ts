// How single settings are read, by the rules of the daemon, which gets them as they are. Each
// function throws RangeError with what is wrong and what is accepted.

const TRUE: ReadonlySet<string> = new Set(['true', 'yes', 'on']);
const FALSE: ReadonlySet<string> = new Set(['false', 'no', 'off']);

export function parseBoolean(text: string): boolean {
  const word = text.toLowerCase();
  if (TRUE.has(word)) return true;
  if (FALSE.has(word)) return false;
  throw new RangeError(`${quote(text)} is neither true nor false`);
}

export function parsePath(text: string): string {
  if (text.trim() === '') throw new RangeError('it is empty; name a folder, like /litefs');
  if (text.includes('\0')) throw new RangeError('it has a NUL character; name a folder');
  return text;
}

/** As many bytes as a file name has (NAME_MAX), without the longest companion's ending. */
const DATABASE_NAME_BYTES_MAX = 243;
/** Files beside a database, which are none themselves. */
const COMPANION = /-(?:journal|wal|shm|pos|lock)$/;
/** C0 controls and DEL. */
const CONTROL_CHARACTER = /\p{Cc}/u;

export function parseDatabaseName(text: string): string {
  const refuse = (fault: string): RangeError =>
    new RangeError(`${quote(text)} ${fault}; name a file in the mount, like db.sqlite3`);
  if (text.trim() === '') throw refuse('is empty');
  if (text.includes('/')) throw refuse('has a slash');
  if (CONTROL_CHARACTER.test(text)) throw refuse('has control characters');
  if (text.startsWith('.')) throw refuse('begins with a dot');
  if (COMPANION.test(text)) throw refuse('has the ending of a file beside a database');
  if (Buffer.byteLength(text) > DATABASE_NAME_BYTES_MAX) throw refuse('is too long');
  return text;
}

export function parseLeaderElection(text: string): 'static' {
  if (text === 'static') return text;
  const known = 'accepted: static, with the primary named by primaryHostname';
  if (text === 'raft') throw new RangeError(`"raft" does not exist yet; ${known}`);
  throw new RangeError(`${quote(text)} is no leader election; ${known}`);
}

/** Names are compared as they are, and stand in headers. */
export function parseNodeName(text: string): string {
  if (/^[\x21-\x7E]{1,255}$/.test(text)) return text;
  throw new RangeError(
    `${quote(text)} is no name of a node; accepted: 1 to 255 ASCII letters, digits, signs`,
  );
}

export function parseAddress(text: string): string {
  const match = /^(?:(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]*):)?(\d{1,5})$/.exec(text);
  if (match !== null && Number(match[1]) <= 65_535) return text;
  throw new RangeError(`${quote(text)} is no address; write it like 127.0.0.1:8080 or :8080`);
}

const NUMBER = String.raw`\d+(?:\.\d+)?`;
const DURATION_PART = new RegExp(`(${NUMBER})(ms|[dhms])`, 'g');
const DURATION = new RegExp(`^(?:${NUMBER}(?:ms|[dhms]))+$`);
const UNITS_MS: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
};
/** As the daemon: 3650 days. */
const RETENTION_MS_MAX = 3650 * 86_400_000;

export function parseRetention(text: string): string {
  if (text === '0') return text;
  if (!DURATION.test(text)) {
    throw new RangeError(`${quote(text)} is no duration; write it like 90s, 10m or 24h`);
  }
  const parts = [...text.matchAll(DURATION_PART)];
  const ms = parts.reduce((sum, part) => sum + Number(part[1]) * UNITS_MS[part[2]!]!, 0);
  if (Math.round(ms) <= RETENTION_MS_MAX) return text;
  throw new RangeError(`${quote(text)} is more than 3650d`);
}

function quote(text: string): string {
  return JSON.stringify(text);
}
