// Log in and out.

import { isLoginToken, loginNonce, loginToken } from '../auth/forms.ts';
import { createSession, endSession, maybeSession, SESSION_MS } from '../auth/sessions.ts';
import type { SqliteHandle } from '../database/handle.ts';
import { safeNext } from '../http/addresses.ts';
import { maybeCookie } from '../http/cookies.ts';
import type { FormBody } from '../http/form-body.ts';
import { acceptForm, readReady, writeReady } from '../http/members.ts';
import { forbidden } from '../http/refusals.ts';
import { page, type Reply, siteCookie } from '../http/reply.ts';
import { maybeMember, type Member, type Visit } from '../http/site-context.ts';
import { countOf } from '../pages/html.ts';
import { loginPage, type LoginView } from '../pages/login-page.ts';
import { readKey } from '../store/own-tables.ts';
import { hasUsers, maybeUser, noteLogin, setPassword, type StoredUser } from '../store/users.ts';

/** A login form can be left open for so long. */
const NONCE_AGE_S = 86_400;

export function showLogin(visit: Visit): Reply {
  const next = safeNext(visit.url.searchParams.get('next'), visit.site.options.basePath);
  return readReady(visit, (database) => {
    if (maybeMember(visit, database) !== undefined) return { kind: 'redirect', to: next };
    return loginForm(visit, database, { next, username: '', problem: undefined }, 200);
  });
}

type LoginParts = Pick<LoginView, 'next' | 'username' | 'problem'>;

function loginForm(visit: Visit, database: SqliteHandle, parts: LoginParts, status: number): Reply {
  const nonce = loginNonce(maybeCookie(visit.request.headers, 'skein_admin_login'));
  const token = loginToken(readKey(database), nonce);
  const html = loginPage(visit, { ...parts, token, isEmpty: !hasUsers(database) });
  const cookies = [siteCookie(visit, 'skein_admin_login', nonce, NONCE_AGE_S)];
  return { ...page(html, status), cookies };
}

interface Candidate {
  readonly username: string;
  readonly password: string;
  readonly next: string;
  readonly user: StoredUser | undefined;
  readonly nowMs: number;
}

/** The password is checked between two transactions: it takes long. */
export async function logIn(visit: Visit): Promise<Reply> {
  const form = await acceptForm(visit);
  if ('kind' in form) return form;
  const candidate = readCandidate(visit, form);
  if ('kind' in candidate) return candidate;
  const { username, password, next, user, nowMs } = candidate;
  const hash = user?.isActive === true ? user.password : undefined;
  const { address, site } = visit;
  const result = await site.passwords.check({ username, password, hash, address, nowMs });
  if (result.kind === 'wait') {
    const waitS = Math.ceil(result.waitMs / 1000);
    const problem = `Too many attempts: try again in ${countOf(waitS, 'second', 'seconds')}`;
    const parts = { next, username, problem };
    const reply = readReady(visit, (database) => loginForm(visit, database, parts, 429));
    return reply.kind === 'page' ? { ...reply, retryAfterS: waitS } : reply;
  }
  if (result.kind === 'wrong' || user === undefined) {
    return readReady(visit, (database) => wrongForm(visit, database, { next, username }));
  }
  return begin(visit, { user, next, newHash: result.newHash });
}

function wrongForm(
  visit: Visit,
  database: SqliteHandle,
  given: Pick<LoginView, 'next' | 'username'>,
): Reply {
  const problem = 'The username or the password is wrong';
  return loginForm(visit, database, { ...given, problem }, 401);
}

function readCandidate(visit: Visit, { fields }: FormBody): Candidate | Reply {
  const text = (name: string): string => {
    const value = fields.get(name);
    return typeof value === 'string' ? value : '';
  };
  const username = text('username').trim();
  let candidate: Candidate | undefined;
  const reply = readReady(visit, (database) => {
    const nonce = maybeCookie(visit.request.headers, 'skein_admin_login');
    if (!isLoginToken(readKey(database), nonce, text('token'))) {
      return forbidden(visit, 'The form to log in is too old, or cookies are not kept');
    }
    candidate = {
      username,
      password: text('password'),
      next: safeNext(text('next'), visit.site.options.basePath),
      user: maybeUser(database, username),
      nowMs: visit.site.nowMs(database),
    };
    return { kind: 'redirect', to: candidate.next };
  });
  return candidate ?? reply;
}

interface Beginning {
  readonly user: StoredUser;
  readonly next: string;
  readonly newHash: string | undefined;
}

/** Every login is a new session; the one that the browser had before is over. */
function begin(visit: Visit, { user, next, newHash }: Beginning): Reply {
  const { site, request } = visit;
  return writeReady(visit, (database) => {
    // While the password was checked it may have been changed, or its user locked.
    const now = maybeUser(database, user.username);
    if (now?.isActive !== true || now.id !== user.id || now.password !== user.password) {
      return wrongForm(visit, database, { next, username: user.username });
    }
    const key = readKey(database);
    const nowMs = site.nowMs(database);
    const cookie = maybeCookie(request.headers, 'skein_admin_session');
    const before = maybeSession(database, key, { cookie, nowMs });
    if (before !== undefined) endSession(database, before.id);
    noteLogin(database, user.id, nowMs);
    if (newHash !== undefined) setPassword(database, user.id, newHash);
    const value = createSession(database, { key, userId: user.id, nowMs });
    const cookies = [
      siteCookie(visit, 'skein_admin_session', value, SESSION_MS / 1000),
      siteCookie(visit, 'skein_admin_login', '', 0),
    ];
    return { kind: 'redirect', to: next, cookies };
  });
}

export function logOut(member: Member): Reply {
  const { database, session, site } = member;
  endSession(database, session.id);
  const cookies = [siteCookie(member, 'skein_admin_session', '', 0)];
  return { kind: 'redirect', to: site.addresses.login(), cookies };
}
