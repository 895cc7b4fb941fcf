// The doors to everything behind the login. Who reads needs a session; who writes needs a form of
// that session from a page of this site, on a node that may write.
//
// Invariant: nothing of a request reaches a page before its session is known, and nothing is
// written before its token is.

import { isFormToken, isSameOrigin } from '../auth/forms.ts';
import type { SqliteHandle } from '../database/handle.ts';
import { createOwnTables, hasOwnTables } from '../store/own-tables.ts';
import { type FormBody, type FormProblem, readForm } from './form-body.ts';
import { badRequest, forbidden, maybeRefusal, notPrimary, notReady, tooLarge } from './refusals.ts';
import type { Reply } from './reply.ts';
import { maybeMember, type Member, type Visit } from './site-context.ts';

/** A page of somebody who is logged in. */
export function readAsMember(visit: Visit, work: (member: Member) => Reply): Reply {
  return readReady(visit, (database) => {
    const member = maybeMember(visit, database);
    return member === undefined ? toLogin(visit) : work(member);
  });
}

/** A page for which the tables of the site have to be there. */
export function readReady(visit: Visit, work: (database: SqliteHandle) => Reply): Reply {
  const { connections } = visit.site;
  try {
    const reply = connections.read((database) =>
      hasOwnTables(database) ? work(database) : undefined,
    );
    if (reply !== undefined) return reply;
    if (!tryCreateOwnTables(visit)) return notReady(visit);
    return connections.read(work);
  } catch (error) {
    return refusalOf(visit, error);
  }
}

/** The first who asks the primary makes them. */
function tryCreateOwnTables(visit: Visit): boolean {
  if (visit.node?.isPrimary === false) return false;
  try {
    visit.site.connections.write(createOwnTables);
    return true;
  } catch (error) {
    if (maybeRefusal(visit, error) === undefined) throw error;
    return false;
  }
}

/** What an accepted form of somebody who is logged in does, in one transaction. */
export function writeAsMember(
  visit: Visit,
  form: FormBody,
  work: (member: Member, form: FormBody) => Reply,
): Reply {
  return writeReady(visit, (database) => {
    const member = maybeMember(visit, database);
    if (member === undefined) return toLogin(visit);
    const token = form.fields.get('token');
    if (typeof token !== 'string' || !isFormToken(member.key, member.session.id, token)) {
      return forbidden(visit, 'The form is not of this session');
    }
    return work(member, form);
  });
}

/** One transaction, with the tables of the site there. */
export function writeReady(visit: Visit, work: (database: SqliteHandle) => Reply): Reply {
  try {
    return visit.site.connections.write((database) => {
      createOwnTables(database);
      return work(database);
    });
  } catch (error) {
    return refusalOf(visit, error);
  }
}

/** The form, or why it is not taken: from elsewhere, to the wrong node, no form at all. */
export async function acceptForm(visit: Visit): Promise<FormBody | Reply> {
  const { request, site, url, node } = visit;
  const forwardedHost = request.headers.get('x-forwarded-host');
  // A page of another site cannot set this header without being asked first (CORS).
  const hosts = [url.host, ...(forwardedHost === null ? [] : [forwardedHost])];
  if (!isSameOrigin(request.headers, { hosts, origins: site.options.origins })) {
    return forbidden(visit, 'The form came from another site');
  }
  if (node?.isPrimary === false) return notPrimary(visit);
  const form = await readForm(request, site.options.maxBodyBytes);
  return typeof form === 'string' ? problemReply(visit, form) : form;
}

function problemReply(visit: Visit, problem: FormProblem): Reply {
  switch (problem) {
    case 'no-form':
      return badRequest(visit, 'What was sent is no form');
    case 'malformed':
      return badRequest(visit, 'The form is malformed');
    case 'too-large':
    case 'too-many-fields':
      return tooLarge(visit);
  }
}

function refusalOf(visit: Visit, error: unknown): Reply {
  const refusal = maybeRefusal(visit, error);
  if (refusal === undefined) throw error;
  return refusal;
}

/** A page that was only looked at is there after the login; a form is not sent again. */
function toLogin(visit: Visit): Reply {
  const { url, request, site } = visit;
  const next = request.method === 'GET' ? `${url.pathname}${url.search}` : undefined;
  return { kind: 'redirect', to: site.addresses.login(next) };
}
