// Which address leads where. Names of tables, rows and columns in an address only choose among what
// the schema has: one that is not in it is not found.

import { Hono } from 'hono';

import type { Table } from '../database/schema.ts';
import {
  addUser,
  changePassword,
  changeUser,
  showAddUser,
  showPassword,
  showUsers,
} from '../routes/account-routes.ts';
import { askDelete, deleteRows } from '../routes/delete-routes.ts';
import { logIn, logOut, showLogin } from '../routes/login-routes.ts';
import { addRow, changeRow, showAdd, showRow } from '../routes/row-routes.ts';
import { createSuperuserHere } from '../routes/superuser-routes.ts';
import {
  downloadValue,
  lookUp,
  showNodeState,
  showHistory,
  showHome,
  showList,
  showStructure,
} from '../routes/table-routes.ts';
import { decodeName } from './addresses.ts';
import { isAssetName } from './assets.ts';
import type { FormBody } from './form-body.ts';
import { acceptForm, readAsMember, writeAsMember } from './members.ts';
import { badRequest, failed, notFound } from './refusals.ts';
import { assetResponse, type Reply, toResponse } from './reply.ts';
import type { Member, SiteContext, Visit } from './site-context.ts';

interface Env {
  Bindings: { readonly visit: Visit };
}

type Parameters = Readonly<Record<string, string>>;

export type Router = Hono<Env>;

export function createRouter(site: SiteContext): Router {
  const app = new Hono<Env>({ strict: false }).basePath(site.options.basePath);
  const get = (path: string, work: (member: Member, parameters: Parameters) => Reply): void => {
    app.get(path, (c) => {
      const { visit } = c.env;
      const reply = readAsMember(visit, (member) => work(member, c.req.param()));
      return toResponse(visit, reply);
    });
  };
  const post = (
    path: string,
    work: (member: Member, form: FormBody, parameters: Parameters) => Reply,
  ): void => {
    app.post(path, async (c) => {
      const { visit } = c.env;
      const form = await acceptForm(visit);
      if ('kind' in form) return toResponse(visit, form);
      const reply = writeAsMember(visit, form, (member) => work(member, form, c.req.param()));
      return toResponse(visit, reply);
    });
  };
  app.get('/static/:name', (c) => {
    const name = c.req.param('name');
    return isAssetName(name)
      ? assetResponse(site, name)
      : toResponse(c.env.visit, notFound(c.env.visit));
  });
  app.get('/login', (c) => toResponse(c.env.visit, showLogin(c.env.visit)));
  app.post('/login', async (c) => toResponse(c.env.visit, await logIn(c.env.visit)));
  app.post('/superuser', async (c) =>
    toResponse(c.env.visit, await createSuperuserHere(c.env.visit)),
  );
  app.post('/password', async (c) => toResponse(c.env.visit, await changePassword(c.env.visit)));
  app.post('/users/add', async (c) => toResponse(c.env.visit, await addUser(c.env.visit)));

  get('/', showHome);
  get('/node.json', showNodeState);
  get('/history', (member) => showHistory(member));
  get('/password', showPassword);
  get('/users', showUsers);
  get('/users/add', showAddUser);
  post('/users/:id', (member, form, { id }) => changeUser(member, id!, form));
  post('/logout', logOut);
  addTableRoutes(get, post);

  app.notFound((c) => toResponse(c.env.visit, notFound(c.env.visit)));
  app.onError((error, c) => {
    site.options.onError?.(error);
    return toResponse(c.env.visit, failed(c.env.visit));
  });
  return app;
}

type Get = (path: string, work: (member: Member, parameters: Parameters) => Reply) => void;
type Post = (
  path: string,
  work: (member: Member, form: FormBody, parameters: Parameters) => Reply,
) => void;

function addTableRoutes(get: Get, post: Post): void {
  get('/t/:table', withTable(showList));
  get('/t/:table/structure', withTable(showStructure));
  get(
    '/t/:table/history',
    withTable((member, table) => showHistory(member, table)),
  );
  get('/t/:table/lookup', withTable(lookUp));
  get('/t/:table/add', withWritable(showAdd));
  get('/t/:table/delete', withWritable(askDelete));
  get(
    '/t/:table/row/:key',
    withTable((member, table, { key }) => showRow(member, table, key!)),
  );
  get(
    '/t/:table/row/:key/history',
    withTable((member, table, { key }) => showHistory(member, table, key)),
  );
  get(
    '/t/:table/row/:key/value/:column',
    withTable((member, table, { key, column }) =>
      downloadValue(member, { table, key: key! }, decodeName(column!)),
    ),
  );
  post('/t/:table/add', (member, form, parameters) =>
    withWritable((member, table) => addRow(member, table, form))(member, parameters),
  );
  post('/t/:table/delete', (member, form, parameters) =>
    withWritable((member, table) => deleteRows(member, table, form))(member, parameters),
  );
  post('/t/:table/row/:key', (member, form, parameters) =>
    withWritable((member, table, { key }) => changeRow(member, { table, key: key! }, form))(
      member,
      parameters,
    ),
  );
}

type TableWork = (member: Member, table: Table, parameters: Parameters) => Reply;

/** A table of the schema that is shown. */
function withTable(work: TableWork): (member: Member, parameters: Parameters) => Reply {
  return (member, parameters) => {
    const { site, schema } = member;
    const table = schema.get(decodeName(parameters['table']!));
    const isShown = table !== undefined && site.shownTables(schema).includes(table);
    return isShown ? work(member, table, parameters) : notFound(member, 'There is no such table');
  };
}

function withWritable(work: TableWork): (member: Member, parameters: Parameters) => Reply {
  return withTable((member, table, parameters) => {
    if (member.site.writable(table) !== undefined) return work(member, table, parameters);
    return badRequest(member, 'The rows of this table cannot be changed here');
  });
}
