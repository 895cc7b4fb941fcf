// The cookies of the site (RFC 6265): scripts cannot read them, other sites cannot send them.

export type CookieName = 'skein_admin_session' | 'skein_admin_login' | 'skein_admin_flash';

/** Set by the script of the pages, which is why it may be read there. */
export const THEME_COOKIE = 'skein_admin_theme';

export function maybeCookie(headers: Headers, name: string): string | undefined {
  for (const pair of (headers.get('cookie') ?? '').split(';')) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return undefined;
}

export interface CookieOptions {
  readonly path: string;
  /** Whether the browser came over TLS. */
  readonly isSecure: boolean;
  /** 0 takes the cookie away. */
  readonly ageS: number;
}

export function formatCookie(name: CookieName, value: string, options: CookieOptions): string {
  const { path, isSecure, ageS } = options;
  const attributes = `Path=${path}; Max-Age=${ageS}; HttpOnly; SameSite=Lax`;
  return `${name}=${value}; ${attributes}${isSecure ? '; Secure' : ''}`;
}
