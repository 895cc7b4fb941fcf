// Where the pages are. A table may be called anything: a name that is not plain letters travels as
// base64url, so that no name means anything in a path.

const PLAIN_NAME = /^[A-Za-z_]\w*$/;

export function encodeName(name: string): string {
  return PLAIN_NAME.test(name) ? name : `~${Buffer.from(name).toString('base64url')}`;
}

export function decodeName(text: string): string {
  return text.startsWith('~') ? Buffer.from(text.slice(1), 'base64url').toString() : text;
}

/** Addresses below `basePath`, which has no slash at its end. */
export class Addresses {
  readonly basePath: string;

  constructor(basePath: string) {
    this.basePath = basePath;
  }

  readonly home = (): string => `${this.basePath}/`;
  readonly login = (next?: string): string => {
    const query = next === undefined ? '' : `?${new URLSearchParams({ next }).toString()}`;
    return `${this.basePath}/login${query}`;
  };
  readonly logout = (): string => `${this.basePath}/logout`;
  readonly password = (): string => `${this.basePath}/password`;
  readonly users = (): string => `${this.basePath}/users`;
  readonly addUser = (): string => `${this.basePath}/users/add`;
  readonly user = (id: bigint): string => `${this.basePath}/users/${id}`;
  readonly history = (): string => `${this.basePath}/history`;
  readonly nodeState = (): string => `${this.basePath}/node.json`;
  readonly asset = (name: string, version: string): string =>
    `${this.basePath}/static/${name}?v=${version}`;

  readonly table = (table: string): string => `${this.basePath}/t/${encodeName(table)}`;
  readonly structure = (table: string): string => `${this.table(table)}/structure`;
  readonly add = (table: string): string => `${this.table(table)}/add`;
  readonly remove = (table: string, keys: readonly string[]): string => {
    const query = new URLSearchParams(keys.map((key): [string, string] => ['key', key])).toString();
    return `${this.table(table)}/delete${query === '' ? '' : `?${query}`}`;
  };
  readonly lookup = (table: string): string => `${this.table(table)}/lookup`;
  readonly tableHistory = (table: string): string => `${this.table(table)}/history`;
  readonly row = (table: string, key: string): string => `${this.table(table)}/row/${key}`;
  readonly rowHistory = (table: string, key: string): string => `${this.row(table, key)}/history`;
  readonly value = (table: string, key: string, column: string): string =>
    `${this.row(table, key)}/value/${encodeName(column)}`;
}

/** Where to go after the login: a path of the site itself and nothing else. */
export function safeNext(next: string | null, basePath: string): string {
  const home = `${basePath}/`;
  if (next === null || !URL.canParse(next, 'http://site.invalid')) return home;
  const { origin, pathname, search } = new URL(next, 'http://site.invalid');
  const isOurs = origin === 'http://site.invalid' && `${pathname}/`.startsWith(home);
  return isOurs && !pathname.startsWith('//') ? `${pathname}${search}` : home;
}
