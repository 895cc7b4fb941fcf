// The page: puts editor, result and lists together. One query at a time; the next one ends it.

import { ApiError, type Catalog, LakeApi, type QueryResult, ROWS_MAX } from './api.ts';
import { ResultsChart } from './chart.ts';
import { byId, linkTabs } from './dom.ts';
import { createEditor } from './editor.ts';
import { formatBytes, formatCount, formatMs } from './format.ts';
import { QueryHistory } from './history.ts';
import { drawHistory, drawTables } from './lists.ts';
import { ResultsTable } from './results-table.ts';

const FIRST_QUERY = `-- Ctrl+Enter runs what is selected, or all
SELECT 'Hello, lake' AS greeting, 42 AS answer;
`;
const SERVER_POLL_MS = 10_000;
/** Where the last text of the editor is kept. */
const DRAFT_KEY = 'skein-lake-draft';

const page = {
  run: byId('run', HTMLButtonElement),
  cancel: byId('cancel', HTMLButtonElement),
  download: byId('download', HTMLSelectElement),
  error: byId('error', HTMLElement),
  status: byId('status', HTMLElement),
  tally: byId('tally', HTMLElement),
  server: byId('server', HTMLElement),
  tables: byId('tables', HTMLElement),
  history: byId('history', HTMLElement),
  drawer: byId('drawer', HTMLElement),
  drawerToggle: byId('drawer-toggle', HTMLButtonElement),
};

const api = new LakeApi(askPassword);
const history = new QueryHistory(localStorage);
const table = new ResultsTable(byId('table', HTMLElement));
const chart = new ResultsChart(byId('chart', HTMLElement));
const draft = localStorage.getItem(DRAFT_KEY) ?? FIRST_QUERY;
const editor = createEditor(byId('editor', HTMLElement), draft, () => void run());
let current: AbortController | undefined;
let lastSql = '';
const tally = { queryCount: 0, hitCount: 0, readBytes: 0 };

async function run(): Promise<void> {
  const sql = editor.query;
  if (sql.trim() === '') return;
  current?.abort();
  const controller = new AbortController();
  current = controller;
  localStorage.setItem(DRAFT_KEY, sql);
  begin();
  const startedMs = performance.now();
  try {
    const result = await api.query(sql, controller.signal);
    const ms = performance.now() - startedMs;
    if (current !== controller) return;
    lastSql = sql;
    showResult(result, ms);
    remember(sql, ms, result.rows.length);
    if (result.rowsChanged !== undefined || result.columns.length === 0) void loadCatalog();
  } catch (error) {
    if (current !== controller) return;
    const isCancelled = controller.signal.aborted;
    showFailure(isCancelled ? 'Cancelled' : messageOf(error), isCancelled);
    if (!isCancelled) remember(sql, performance.now() - startedMs, undefined);
  } finally {
    if (current === controller) end();
  }
}

function begin(): void {
  page.run.disabled = true;
  page.cancel.disabled = false;
  page.download.disabled = true;
  page.error.hidden = true;
  document.body.classList.add('running');
  page.status.textContent = 'Running …';
}

function end(): void {
  current = undefined;
  page.run.disabled = false;
  page.cancel.disabled = true;
  document.body.classList.remove('running');
}

function showResult(result: QueryResult, ms: number): void {
  const { columns, rows, isCut, receivedBytes, rowsChanged, cache } = result;
  page.download.disabled = columns.length === 0;
  chart.show(columns, rows);
  if (columns.length === 0) {
    table.message(
      rowsChanged === undefined ? 'Done.' : `Done: ${formatCount(rowsChanged, 'row')}.`,
    );
  } else table.show(columns, rows);
  const rowCount = formatCount(rows.length, 'row');
  const parts = [isCut ? `the first ${rowCount} (no more than ${ROWS_MAX} are shown)` : rowCount];
  parts.push(formatMs(ms));
  if (result.serverMs !== undefined) parts.push(`${formatMs(result.serverMs)} in the server`);
  parts.push(`${formatBytes(receivedBytes)} read`);
  if (cache !== undefined) parts.push(cache === 'hit' ? 'from the cache' : 'not from the cache');
  if (result.isByWriter) parts.push('by the writer');
  page.status.textContent = parts.join(' · ');
  tally.queryCount += 1;
  tally.hitCount += cache === 'hit' ? 1 : 0;
  tally.readBytes += receivedBytes;
  void showTally();
}

function showFailure(message: string, isCancelled: boolean): void {
  page.error.textContent = message;
  page.error.hidden = isCancelled;
  page.status.textContent = isCancelled ? 'Cancelled' : 'Failed';
  if (!isCancelled) return;
  table.message('Cancelled.');
  chart.clear();
}

function remember(sql: string, ms: number, rowCount: number | undefined): void {
  history.add({ sql, at: Date.now(), ms: Math.round(ms), rowCount });
  showHistory();
}

function showHistory(): void {
  drawHistory(page.history, history.entries, {
    use: (sql) => {
      use(sql);
      editor.focus();
    },
    clear: () => {
      history.clear();
      showHistory();
    },
  });
}

function use(sql: string): void {
  editor.replace(sql);
  setDrawer(false);
}

async function loadCatalog(): Promise<void> {
  let catalog: Catalog;
  try {
    catalog = await api.catalog();
  } catch (error) {
    page.tables.textContent = messageOf(error);
    return;
  }
  editor.complete(catalog);
  const runNow = (sql: string): void => {
    use(sql);
    void run();
  };
  drawTables(page.tables, catalog, { use, run: runNow });
}

async function showServer(): Promise<void> {
  try {
    const { role, isReady } = await api.server();
    page.server.textContent = isReady ? (role ?? 'ready') : 'not ready';
    page.server.className = `server ${isReady ? 'up' : 'down'}`;
  } catch {
    page.server.textContent = 'out of reach';
    page.server.className = 'server down';
  }
}

/** What this page has asked and got, and what the node has fetched from the object store. */
async function showTally(): Promise<void> {
  const { queryCount, hitCount, readBytes } = tally;
  const parts = [`${hitCount} of ${formatCount(queryCount, 'result')} from the cache`];
  parts.push(`${formatBytes(readBytes)} read`);
  page.tally.textContent = parts.join(' · ');
  try {
    const fetched = (await api.figures()).get('skein_lake_store_fetched_bytes_total');
    if (fetched === undefined) return;
    page.tally.textContent = [...parts, `${formatBytes(fetched)} fetched by the node`].join(' · ');
  } catch {
    // Figures are for who may read them; the rest is shown all the same.
  }
}

async function download(): Promise<void> {
  const format = page.download.value;
  page.download.value = '';
  if (format === '') return;
  try {
    const blob = await api.download(lastSql, format, new AbortController().signal);
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = `result.${format === 'json' ? 'jsonl' : format}`;
    link.click();
    URL.revokeObjectURL(link.href);
  } catch (error) {
    showFailure(messageOf(error), false);
  }
}

async function askPassword(): Promise<string | undefined> {
  const dialog = byId('password-dialog', HTMLDialogElement);
  const input = byId('password', HTMLInputElement);
  input.value = '';
  dialog.returnValue = '';
  dialog.showModal();
  await new Promise((resolve) => {
    dialog.addEventListener('close', resolve, { once: true });
  });
  return dialog.returnValue === 'ok' && input.value !== '' ? input.value : undefined;
}

function setDrawer(isOpen: boolean): void {
  page.drawer.classList.toggle('open', isOpen);
  page.drawerToggle.setAttribute('aria-expanded', String(isOpen));
}

function messageOf(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  return error instanceof Error ? `The lake cannot be reached: ${error.message}` : String(error);
}

page.run.addEventListener('click', () => void run());
page.cancel.addEventListener('click', () => current?.abort());
page.download.addEventListener('change', () => void download());
page.drawerToggle.addEventListener('click', () => {
  setDrawer(!page.drawer.classList.contains('open'));
});
linkTabs(['tables', 'history'], () => undefined);
linkTabs(['table', 'chart'], (id) => {
  if (id === 'chart') chart.draw();
});
table.message('Results come here.');
chart.clear();
showHistory();
void loadCatalog();
void showServer();
setInterval(() => void showServer(), SERVER_POLL_MS);
editor.focus();
