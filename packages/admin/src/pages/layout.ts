// What all pages have around them: head, the bar with the node and the user, the tables, a word
// about what was just done. No script or style is in the page itself, so that the policy of the
// site can forbid them.

import type { AssetName } from '../http/assets.ts';
import type { Member, SiteContext, Visit } from '../http/site-context.ts';
import {
  describePosition,
  describeRole,
  nodeFacts,
  type NodeSummary,
  whyNotWritable,
} from '../http/node-summary.ts';
import { humanName } from '../model/kinds.ts';
import { html, type Html, NOTHING } from './html.ts';
import { icon, type IconName } from './icons.ts';

export interface Crumb {
  readonly text: string;
  readonly href: string;
}

export interface PageParts {
  readonly title: string;
  readonly body: Html;
  /** From the first page to the one above this. */
  readonly crumbs?: readonly Crumb[];
  /** The table that the page is about. */
  readonly table?: string | undefined;
  /** A place of the navigation other than a table. */
  readonly place?: 'home' | 'history' | 'users';
}

/** A page of somebody who is logged in. */
export function memberPage(member: Member, parts: PageParts): Html {
  return document(
    member,
    parts.title,
    html`<a class="skip-link" href="#main">Skip to content</a>
      ${topBar(member)}
      <div class="frame">
        <nav class="side" id="side" aria-label="Tables">${sideBar(member, parts)}</nav>
        <main id="main" tabindex="-1">
          ${crumbsOf(member, parts)} ${notices(member)} ${parts.body}
        </main>
      </div>`,
  );
}

/** A page of somebody who is not: a card in the middle. */
export function strangerPage(visit: Visit, title: string, body: Html): Html {
  return document(
    visit,
    title,
    html`<main id="main" class="alone">
      <div class="brand">${logo()} <span>${visit.site.options.title}</span></div>
      <div class="card">${body}</div>
      ${visit.node === undefined ? NOTHING : html`<p class="muted">${nodeLine(visit.node)}</p>`}
    </main>`,
  );
}

function document(visit: Visit, title: string, body: Html): Html {
  const { site, theme } = visit;
  const asset = (name: AssetName): string =>
    site.addresses.asset(name, site.assets.get(name).version);
  const attribute = theme === undefined ? NOTHING : html` data-theme="${theme}"`;
  return html`<!doctype html>
    <html lang="en" ${attribute}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="${theme ?? 'light dark'}" />
        <meta name="robots" content="noindex" />
        <title>${title} · ${site.options.title}</title>
        <link rel="icon" href="${asset('icon.svg')}" type="image/svg+xml" />
        <link rel="stylesheet" href="${asset('admin.css')}" />
        <script src="${asset('admin.js')}" defer></script>
      </head>
      <body data-base="${site.addresses.basePath}">
        ${body}
      </body>
    </html>`;
}

function logo(): Html {
  return html`<span class="logo">${icon('geese')}</span>`;
}

function topBar(member: Member): Html {
  const { site, session, node, token } = member;
  const { addresses, options } = site;
  const siteLink =
    options.siteUrl === undefined
      ? NOTHING
      : html`<li><a href="${options.siteUrl}">${icon('open')} View site</a></li>`;
  return html`<header class="top">
    <a class="brand" href="${addresses.home()}"
      >${logo()} <span class="narrow-visually-hidden">${options.title}</span></a
    >
    ${node === undefined ? html`<span></span>` : nodeMenu(node)}
    <button type="button" class="plain" data-theme-switch hidden>
      ${icon('theme')}<span class="visually-hidden">Switch between light and dark</span>
    </button>
    <details class="menu">
      <summary>
        ${icon('user')} <span class="narrow-visually-hidden">${session.user.username}</span>
      </summary>
      <ul>
        ${siteLink}
        <li><a href="${addresses.password()}">${icon('key')} Change password</a></li>
        <li><a href="${addresses.users()}">${icon('users')} Users</a></li>
        <li>
          <form method="post" action="${addresses.logout()}">
            <input type="hidden" name="token" value="${token}" />
            <button type="submit" class="plain">${icon('leave')} Log out</button>
          </form>
        </li>
      </ul>
    </details>
  </header>`;
}

function nodeMenu(node: NodeSummary): Html {
  return html`<details class="menu" data-node>
    <summary>
      <span class="dot ${node.role}"></span>
      <span
        ><b data-node-name>${node.name}</b> <span data-node-role>${describeRole(node)}</span></span
      >
      <span class="node-more" data-node-more>${describePosition(node)}</span>
    </summary>
    <dl>
      ${nodeFacts(node).map(
        ([name, value]) =>
          html`<div>
            <dt>${name}</dt>
            <dd data-node-value="${name.toLowerCase()}">${value}</dd>
          </div>`,
      )}
    </dl>
  </details>`;
}

function nodeLine(node: NodeSummary): string {
  return `${node.name} · ${describeRole(node)} · ${describePosition(node)}`;
}

function sideBar({ site, schema }: Member, { table, place }: PageParts): Html {
  const { addresses } = site;
  const link = (
    { text, href, sign }: Crumb & { readonly sign: IconName },
    isCurrent: boolean,
  ): Html => {
    const current = isCurrent ? html`aria-current="page"` : NOTHING;
    return html`<li>
      <a class="side-link" href="${href}" ${current}>${icon(sign)} <span>${text}</span></a>
    </li>`;
  };
  const tables = site.shownTables(schema).map(({ name, kind }) =>
    link(
      {
        text: humanName(name),
        href: addresses.table(name),
        sign: kind === 'view' ? 'view' : 'table',
      },
      table === name,
    ),
  );
  return html`<ul>
      ${link({ text: 'Overview', href: addresses.home(), sign: 'home' }, place === 'home')}
    </ul>
    <h2>Tables</h2>
    <ul>
      ${tables}
    </ul>
    <h2>Site</h2>
    <ul>
      ${link({ text: 'History', href: addresses.history(), sign: 'history' }, place === 'history')}
      ${link({ text: 'Users', href: addresses.users(), sign: 'users' }, place === 'users')}
    </ul>`;
}

function crumbsOf({ site }: Member, { crumbs = [], title }: PageParts): Html {
  if (crumbs.length === 0) return NOTHING;
  const all = [{ text: 'Overview', href: site.addresses.home() }, ...crumbs];
  return html`<nav aria-label="Where you are" class="crumbs">
    <ol>
      ${all.map(({ text, href }) => html`<li><a href="${href}">${text}</a></li>`)}
      <li aria-current="page">${title}</li>
    </ol>
  </nav>`;
}

function notices({ flash, node }: Member): Html {
  const refusal = node && node.role !== 'replica' ? whyNotWritable(node) : undefined;
  return html`${
    refusal === undefined
      ? NOTHING
      : html`<p class="notice warning" role="status">${icon('warning')} ${refusal}.</p>`
  }
  ${
    flash === undefined
      ? NOTHING
      : html`<p class="notice good" role="status">${icon('done')} ${flash.text}</p>`
  }`;
}

/** A title with what can be done from there. */
export function pageHead(title: string, below: Html | string, actions: Html = NOTHING): Html {
  return html`<div class="page-head">
    <div>
      <h1>${title}</h1>
      <p class="muted">${below}</p>
    </div>
    <div class="actions">${actions}</div>
  </div>`;
}

export function tableCrumb({ addresses }: SiteContext, table: string): Crumb {
  return { text: humanName(table), href: addresses.table(table) };
}
