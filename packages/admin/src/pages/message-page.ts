// Pages that say one thing: that something is not there, not allowed, not possible now.

import type { Visit } from '../http/site-context.ts';
import { html, type Html, NOTHING } from './html.ts';
import { strangerPage } from './layout.ts';

export interface Message {
  readonly title: string;
  readonly text: string;
  /** What to do about it. */
  readonly hint?: string | undefined;
  readonly link?: { readonly href: string; readonly text: string } | undefined;
}

export function messagePage(visit: Visit, { title, text, hint, link }: Message): Html {
  const shown = link ?? { href: visit.site.addresses.home(), text: 'To the overview' };
  return strangerPage(
    visit,
    title,
    html`<h1>${title}</h1>
      <p>${text}.</p>
      ${hint === undefined ? NOTHING : html`<p class="muted">${hint}.</p>`}
      <p><a href="${shown.href}">${shown.text}</a></p>`,
  );
}
