// The users of the site, and the forms that make one or change a password.

import type { Member } from '../http/site-context.ts';
import { PASSWORD_LENGTH_MIN } from '../auth/password.ts';
import type { StoredUser } from '../store/users.ts';
import { countOf, html, type Html, moment, NOTHING } from './html.ts';
import { icon } from './icons.ts';
import { memberPage, pageHead } from './layout.ts';
import { flag } from './values.ts';

export function usersPage(member: Member, users: readonly StoredUser[]): Html {
  const { addresses } = member.site;
  return memberPage(member, {
    title: 'Users',
    place: 'users',
    body: html`${pageHead(
        'Users',
        `${countOf(users.length, 'superuser', 'superusers')}: each may do everything here`,
        html`<a class="button" href="${addresses.addUser()}">${icon('add')} Add</a>`,
      )}
      <div class="scroll">
        <table class="rows" role="table" aria-label="Users">
          <thead role="rowgroup" class="narrow-visually-hidden">
            <tr role="row">
              <th role="columnheader" scope="col">Username</th>
              <th role="columnheader" scope="col">Email</th>
              <th role="columnheader" scope="col">Last login</th>
              <th role="columnheader" scope="col">Created</th>
              <th role="columnheader" scope="col">May log in</th>
            </tr>
          </thead>
          <tbody role="rowgroup">
            ${users.map((user) => userRow(member, user))}
          </tbody>
        </table>
      </div>`,
  });
}

function userRow(member: Member, user: StoredUser): Html {
  const { addresses } = member.site;
  const never = html`<span class="nothing">never</span>`;
  const isSelf = user.id === member.session.user.id;
  const change = isSelf
    ? html`<span class="muted">yes, you</span>`
    : html`<form method="post" action="${addresses.user(user.id)}" class="inline">
        <input type="hidden" name="token" value="${member.token}" />
        <input type="hidden" name="active" value="${user.isActive ? '0' : '1'}" />
        ${flag(user.isActive)}
        <button type="submit" class="secondary small">
          ${user.isActive ? 'Lock' : 'Unlock'}<span class="visually-hidden"> ${user.username}</span>
        </button>
      </form>`;
  return html`<tr role="row">
    <td role="cell" data-label="Username"><b>${user.username}</b></td>
    <td role="cell" data-label="Email">${user.email}</td>
    <td role="cell" data-label="Last login">
      ${user.lastLoginMs === undefined ? never : moment(user.lastLoginMs)}
    </td>
    <td role="cell" data-label="Created">${moment(user.createdMs)}</td>
    <td role="cell" data-label="May log in">${change}</td>
  </tr>`;
}

export interface UserForm {
  readonly username: string;
  readonly email: string;
  readonly problem: string | undefined;
}

export function addUserPage(member: Member, { username, email, problem }: UserForm): Html {
  const { addresses } = member.site;
  return memberPage(member, {
    title: 'Add a user',
    place: 'users',
    crumbs: [{ text: 'Users', href: addresses.users() }],
    body: html`${pageHead('Add a user', 'A superuser: may do everything here')} ${alert(problem)}
      <form method="post" action="${addresses.addUser()}" class="card narrow">
        <input type="hidden" name="token" value="${member.token}" />
        <label for="username">Username</label>
        <input
          id="username"
          name="username"
          value="${username}"
          autocomplete="off"
          maxlength="150"
          required
        />
        <label for="email">Email</label>
        <input id="email" name="email" type="email" value="${email}" autocomplete="off" />
        ${newPassword()}
        <button type="submit">Add</button>
      </form>`,
  });
}

export function passwordPage(member: Member, problem: string | undefined): Html {
  return memberPage(member, {
    title: 'Change password',
    crumbs: [],
    body: html`${pageHead('Change password', `Of ${member.session.user.username}`)}
      ${alert(problem)}
      <form method="post" action="${member.site.addresses.password()}" class="card narrow">
        <input type="hidden" name="token" value="${member.token}" />
        <label for="old">Old password</label>
        <input id="old" name="old" type="password" autocomplete="current-password" required />
        ${newPassword()}
        <button type="submit">Change</button>
        <p class="muted">All other sessions of yours end.</p>
      </form>`,
  });
}

function newPassword(): Html {
  return html`<label for="password">New password</label>
    <input
      id="password"
      name="password"
      type="password"
      autocomplete="new-password"
      minlength="${PASSWORD_LENGTH_MIN}"
      aria-describedby="password-help"
      required
    />
    <small id="password-help">At least ${PASSWORD_LENGTH_MIN} characters, not only digits</small>
    <label for="repeat">New password again</label>
    <input id="repeat" name="repeat" type="password" autocomplete="new-password" required />`;
}

function alert(problem: string | undefined): Html {
  if (problem === undefined) return NOTHING;
  return html`<p class="notice bad" role="alert">${icon('warning')} ${problem}.</p>`;
}
