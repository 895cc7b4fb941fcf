// The page to log in.

import type { Visit } from '../http/site-context.ts';
import { html, type Html, NOTHING } from './html.ts';
import { strangerPage } from './layout.ts';

export interface LoginView {
  readonly token: string;
  readonly next: string;
  readonly username: string;
  readonly problem: string | undefined;
  /** Whether there is nobody who could log in. */
  readonly isEmpty: boolean;
}

export function loginPage(visit: Visit, view: LoginView): Html {
  const { token, next, username, problem, isEmpty } = view;
  const alert =
    problem === undefined
      ? NOTHING
      : html`<p class="notice bad" role="alert" id="problem">${problem}.</p>`;
  const described = problem === undefined ? NOTHING : html` aria-describedby="problem"`;
  return strangerPage(
    visit,
    'Log in',
    html`<h1>Log in</h1>
      ${isEmpty ? emptyNotice() : NOTHING} ${alert}
      <form method="post" action="${visit.site.addresses.login()}">
        <input type="hidden" name="token" value="${token}" />
        <input type="hidden" name="next" value="${next}" />
        <label for="username">Username</label>
        <input
          id="username"
          name="username"
          value="${username}"
          autocomplete="username"
          autocapitalize="none"
          spellcheck="false"
          maxlength="150"
          required${described}
          ${username === '' ? 'autofocus' : ''}
        />
        <label for="password">Password</label>
        <input
          id="password"
          name="password"
          type="password"
          autocomplete="current-password"
          required${described}
          ${username === '' ? '' : 'autofocus'}
        />
        <button type="submit">Log in</button>
      </form>`,
  );
}

function emptyNotice(): Html {
  return html`<p class="notice warning">
    There are no users yet. Create one on any node: <code>npm run createsuperuser</code>
  </p>`;
}
