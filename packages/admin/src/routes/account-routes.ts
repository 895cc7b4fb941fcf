// The users of the site: their passwords, new ones, and who may log in.

import { passwordProblem } from '../auth/password.ts';
import { createSession, endSessionsOf, SESSION_MS } from '../auth/sessions.ts';
import { acceptForm, readAsMember, writeAsMember } from '../http/members.ts';
import type { FormBody } from '../http/form-body.ts';
import { badRequest, notFound } from '../http/refusals.ts';
import { done, page, type Reply, siteCookie } from '../http/reply.ts';
import { actorOf, type Member, type Visit } from '../http/site-context.ts';
import { addUserPage, passwordPage, usersPage } from '../pages/users-page.ts';
import { logAction } from '../store/history.ts';
import {
  emailProblem,
  listUsers,
  maybeUserById,
  setActive,
  setPassword,
  tryCreateUser,
  usernameProblem,
} from '../store/users.ts';

const WRONG = 422;

export function showUsers(member: Member): Reply {
  return page(usersPage(member, listUsers(member.database)));
}

export function showAddUser(member: Member): Reply {
  return page(addUserPage(member, { username: '', email: '', problem: undefined }));
}

export function showPassword(member: Member): Reply {
  return page(passwordPage(member, undefined));
}

/** Hashing takes long, so it is done before the transaction, for whoever is logged in. */
export async function addUser(visit: Visit): Promise<Reply> {
  const form = await acceptForm(visit);
  if ('kind' in form) return form;
  const text = textsOf(form);
  const [username, email] = [text('username').trim(), text('email').trim()];
  const problem =
    usernameProblem(username) ??
    emailProblem(email) ??
    newPasswordProblem(text('password'), text('repeat'), username);
  const again = (member: Member, problem: string): Reply =>
    page(addUserPage(member, { username, email, problem }), WRONG);
  if (problem !== undefined) return readAsMember(visit, (member) => again(member, problem));
  const stranger = strangerReply(visit);
  if (stranger !== undefined) return stranger;
  const password = await visit.site.passwords.hash(text('password'));
  return writeAsMember(visit, form, (member) => {
    const { database, nowMs } = member;
    if (!tryCreateUser(database, { username, email, password, nowMs })) {
      return again(member, 'There is a user of that name already');
    }
    logUser(member, `${username} was added`);
    return done(member, visit.site.addresses.users(), `${username} may log in now`);
  });
}

/** Work is not done for those who are not logged in. */
function strangerReply(visit: Visit): Reply | undefined {
  let isMember = false;
  const reply = readAsMember(visit, (member) => {
    isMember = true;
    return { kind: 'redirect', to: member.site.addresses.home() };
  });
  return isMember ? undefined : reply;
}

/** Locked users are logged out everywhere. Nobody locks himself out. */
export function changeUser(member: Member, id: string, form: FormBody): Reply {
  const { database, site, session } = member;
  if (!/^\d{1,18}$/.test(id)) return notFound(member);
  const user = maybeUserById(database, BigInt(id));
  if (user === undefined) return notFound(member, 'There is no such user');
  if (user.id === session.user.id) return badRequest(member, 'Nobody locks himself out');
  const isActive = form.fields.get('active') === '1';
  setActive(database, user.id, isActive);
  if (!isActive) endSessionsOf(database, user.id);
  const text = `${user.username} ${isActive ? 'may log in again' : 'may not log in any more'}`;
  logUser(member, text);
  return done(member, site.addresses.users(), text);
}

export async function changePassword(visit: Visit): Promise<Reply> {
  const form = await acceptForm(visit);
  if ('kind' in form) return form;
  const text = textsOf(form);
  const known = whoIsIt(visit);
  if ('kind' in known) return known;
  const { username, hash, nowMs } = known;
  const again = (problem: string, status = WRONG): Reply =>
    readAsMember(visit, (member) => page(passwordPage(member, problem), status));
  const problem = newPasswordProblem(text('password'), text('repeat'), username);
  if (problem !== undefined) return again(problem);
  const { passwords } = visit.site;
  const password = text('old');
  const { address } = visit;
  const result = await passwords.check({ username, password, hash, address, nowMs });
  if (result.kind === 'wait') return again('Too many attempts: try again in a while', 429);
  if (result.kind === 'wrong') return again('The old password is wrong');
  const newHash = await passwords.hash(text('password'));
  return writeAsMember(visit, form, (member) => {
    const { database, key, session, nowMs } = member;
    const userId = session.user.id;
    setPassword(database, userId, newHash);
    endSessionsOf(database, userId);
    const value = createSession(database, { key, userId, nowMs });
    logUser(member, `${username} changed the password`);
    const reply = done(member, visit.site.addresses.home(), 'The password was changed');
    const cookie = siteCookie(visit, 'skein_admin_session', value, SESSION_MS / 1000);
    return reply.kind === 'redirect'
      ? { ...reply, cookies: [...(reply.cookies ?? []), cookie] }
      : reply;
  });
}

interface Known {
  readonly username: string;
  readonly hash: string | undefined;
  readonly nowMs: number;
}

function whoIsIt(visit: Visit): Known | Reply {
  let known: Known | undefined;
  const reply = readAsMember(visit, ({ database, session, nowMs, site }) => {
    const { id, username } = session.user;
    known = { username, hash: maybeUserById(database, id)?.password, nowMs };
    return { kind: 'redirect', to: site.addresses.home() };
  });
  return known ?? reply;
}

function newPasswordProblem(
  password: string,
  repeat: string,
  username: string,
): string | undefined {
  return (
    passwordProblem(password, username) ??
    (password === repeat ? undefined : 'The two new passwords are not the same')
  );
}

function textsOf({ fields }: FormBody): (name: string) => string {
  return (name) => {
    const value = fields.get(name);
    return typeof value === 'string' ? value : '';
  };
}

function logUser(member: Member, label: string): void {
  logAction(member.database, actorOf(member), {
    action: 'user',
    table: '',
    key: '',
    label,
    changes: [],
  });
}
