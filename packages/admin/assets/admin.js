// What makes the pages quicker to use. All of them work without it.

const base = document.body.dataset.base ?? '';

/** How often a page that stays open asks how its node is. */
const NODE_INTERVAL_MS = 5000;
/** After the last key, before a search. */
const TYPING_MS = 200;
const THEME_AGE_S = 365 * 86_400;

showPlace();
switchThemes();
followNode();
closeMenus();
submitFilters();
selectRows();
lookUpRows();
warnBeforeLeaving();

/** Where the tables are one line, the one that is shown may be beyond its end. */
function showPlace() {
  const current = document.querySelector('.side [aria-current]');
  const side = current?.closest('.side');
  if (side && side.scrollWidth > side.clientWidth) side.scrollLeft = current.offsetLeft - 16;
}

function switchThemes() {
  const button = document.querySelector('[data-theme-switch]');
  if (button === null) return;
  button.hidden = false;
  button.addEventListener('click', () => {
    const root = document.documentElement;
    const isDark =
      root.dataset.theme === 'dark' ||
      (root.dataset.theme === undefined && matchMedia('(prefers-color-scheme: dark)').matches);
    root.dataset.theme = isDark ? 'light' : 'dark';
    const path = base === '' ? '/' : base;
    const attributes = `Path=${path}; Max-Age=${THEME_AGE_S}; SameSite=Lax`;
    document.cookie = `skein_admin_theme=${root.dataset.theme}; ${attributes}`;
  });
}

function followNode() {
  const menu = document.querySelector('[data-node]');
  if (menu === null) return;
  setInterval(async () => {
    if (document.hidden) return;
    const response = await fetch(`${base}/node.json`).catch(() => undefined);
    // Whoever was logged out meanwhile gets the page to log in.
    if (!response?.headers.get('content-type')?.startsWith('application/json')) return;
    showNode(menu, await response.json());
  }, NODE_INTERVAL_MS);
}

function showNode(menu, { words, role, name, more, values }) {
  menu.querySelector('.dot').className = `dot ${role}`;
  menu.querySelector('[data-node-name]').textContent = name;
  menu.querySelector('[data-node-role]').textContent = words;
  menu.querySelector('[data-node-more]').textContent = more;
  for (const [key, value] of Object.entries(values)) {
    const cell = menu.querySelector(`[data-node-value="${key}"]`);
    if (cell !== null) cell.textContent = value;
  }
}

/** A click beside a menu or Escape closes it. */
function closeMenus() {
  const open = () => document.querySelectorAll('details.menu[open]');
  document.addEventListener('click', ({ target }) => {
    for (const menu of open()) if (!menu.contains(target)) menu.open = false;
  });
  document.addEventListener('keydown', ({ key }) => {
    if (key !== 'Escape') return;
    for (const menu of open()) {
      menu.open = false;
      menu.querySelector('summary').focus();
    }
  });
}

/** An address without what says nothing. */
function submitFilters() {
  for (const form of document.querySelectorAll('form[data-filters]')) {
    form.addEventListener('submit', () => {
      for (const field of form.elements) if (field.value === '') field.disabled = true;
    });
    form.addEventListener('change', ({ target }) => {
      if (target instanceof HTMLSelectElement) form.requestSubmit();
    });
  }
  // Back to a page whose form was sent.
  addEventListener('pageshow', () => {
    for (const field of document.querySelectorAll('form[data-filters] :disabled')) {
      field.disabled = false;
    }
  });
}

function selectRows() {
  for (const form of document.querySelectorAll('form[data-selection]')) {
    const all = form.querySelector('[data-select-all]');
    const boxes = [...form.querySelectorAll('input[name="key"]')];
    const button = form.querySelector('.selection button');
    const show = () => {
      const count = boxes.filter(({ checked }) => checked).length;
      button.disabled = count === 0;
      form.querySelector('[data-selected]').textContent = count === 0 ? '' : `(${count})`;
      all.checked = count === boxes.length;
      all.indeterminate = count > 0 && count < boxes.length;
    };
    all.hidden = false;
    all.addEventListener('change', () => {
      for (const box of boxes) box.checked = all.checked;
    });
    form.addEventListener('change', show);
    addEventListener('pageshow', show);
    show();
  }
}

/** Suggests rows while somebody types what they are called. */
function lookUpRows() {
  for (const input of document.querySelectorAll('input[data-lookup]')) {
    let timer;
    input.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(() => suggest(input), TYPING_MS);
    });
  }
}

async function suggest(input) {
  const search = input.value.trim();
  const found = await fetch(`${input.dataset.lookup}&q=${encodeURIComponent(search)}`)
    .then((response) => response.json())
    .catch(() => []);
  if (input.value.trim() !== search) return;
  const options = found.map(({ value, label }) => {
    const option = document.createElement('option');
    option.value = value;
    option.label = value === label ? value : `${label} (${value})`;
    return option;
  });
  input.list.replaceChildren(...options);
}

function warnBeforeLeaving() {
  for (const form of document.querySelectorAll('form[data-dirty]')) {
    let isDirty = false;
    form.addEventListener('input', () => (isDirty = true));
    form.addEventListener('submit', () => (isDirty = false));
    addEventListener('beforeunload', (event) => {
      if (isDirty) event.preventDefault();
    });
  }
}
