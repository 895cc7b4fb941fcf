// The answers of a site that cannot do what it was asked, and what of a failure leads to which.

import { isSkeinError } from '@skein/client';

import { sqliteFailure } from '../database/sqlite-errors.ts';
import { messagePage, type Message } from '../pages/message-page.ts';
import { whyNotWritable } from './node-summary.ts';
import type { PageReply } from './reply.ts';
import type { Visit } from './site-context.ts';

const RETRY_AFTER_S = 1;

/** Nothing was executed: what was asked for can be asked again, there or later. */
function unavailable(visit: Visit, message: Message): PageReply {
  return { ...say(visit, message, 503), retryAfterS: RETRY_AFTER_S };
}

function say(visit: Visit, message: Message, status: number): PageReply {
  return { kind: 'page', status, html: messagePage(visit, message) };
}

/** A write on a node that may not: where it can be written, and what would have sent it there. */
export function notPrimary(visit: Visit): PageReply {
  const { node, site } = visit;
  const primary = node?.primary;
  const where = primary === undefined ? '' : ` The primary is ${primary.name}`;
  const text = (node && whyNotWritable(node)) ?? 'Write operation attempted on replica node';
  const url = primary?.proxyUrl;
  return unavailable(visit, {
    title: 'Not written',
    text: `${text}.${where}`.replace(/\.$/, ''),
    hint: 'Nothing was changed. Requests that come through the proxy of a node are forwarded',
    link:
      url === undefined
        ? undefined
        : { href: `${url}${site.addresses.home()}`, text: `The site on ${primary!.name}` },
  });
}

/** A replica before its primary has made the tables of the site. */
export function notReady(visit: Visit): PageReply {
  return unavailable(visit, {
    title: 'Not ready yet',
    text: 'The tables of this site are not in the database yet',
    hint: 'The primary makes them when it is asked for the first time: npm run createsuperuser',
    link: { href: visit.site.addresses.home(), text: 'Try again' },
  });
}

export function notFound(visit: Visit, text = 'There is nothing at this address'): PageReply {
  return say(visit, { title: 'Not found', text }, 404);
}

export function badRequest(visit: Visit, text: string): PageReply {
  return say(visit, { title: 'Not understood', text, hint: 'Nothing was changed' }, 400);
}

export function tooLarge(visit: Visit): PageReply {
  const text = 'What was sent is larger than this site takes';
  return say(visit, { title: 'Too large', text, hint: 'Nothing was changed' }, 413);
}

export function forbidden(visit: Visit, text: string): PageReply {
  const hint = 'Nothing was changed. Open the page again and send the form from there';
  return say(visit, { title: 'Refused', text, hint }, 403);
}

export function failed(visit: Visit): PageReply {
  const text = 'Something failed in the site; the log of its application says more';
  return say(visit, { title: 'Failed', text }, 500);
}

/** A commit whose answer was lost: as a proxy says it of a request. */
function outcomeUnknown(visit: Visit): PageReply {
  const text = 'The database did not answer: the change is there as a whole, or not at all';
  const hint = 'Look whether it is there before you send it again';
  return say(visit, { title: 'Outcome unknown', text, hint }, 502);
}

/** Undefined for a failure that only a log can help with. */
export function maybeRefusal(visit: Visit, error: unknown): PageReply | undefined {
  if (isSkeinError(error)) {
    if (error.outcome === 'not-executed') return notPrimary(visit);
    if (error.outcome === 'unknown') return outcomeUnknown(visit);
  }
  switch (sqliteFailure(error)) {
    case 'readonly':
      return notPrimary(visit);
    case 'busy':
      return unavailable(visit, {
        title: 'Busy',
        text: 'Another transaction holds the database',
        hint: 'Nothing was changed. Try again in a moment',
      });
    case 'full':
      return unavailable(visit, {
        title: 'Disk full',
        text: 'There is no room on the disk of the database',
        hint: 'Nothing was changed',
      });
    case 'cannot-open':
      return unavailable(visit, {
        title: 'No database',
        text: 'The database cannot be opened on this node',
        hint: 'It may not be there yet',
        link: { href: visit.site.addresses.home(), text: 'Try again' },
      });
    // Of a constraint that is looked at only when the transaction ends.
    case 'constraint':
      return say(
        visit,
        {
          title: 'Not written',
          text: `The database refused it: ${error instanceof Error ? error.message : ''}`,
          hint: 'Nothing was changed',
        },
        409,
      );
    case 'mismatch':
    case 'too-big':
    case 'no-such-table':
    case 'other':
    case undefined:
      return undefined;
  }
}
