// Drawn signs, each beside a word that says the same: readers of a screen do not need them.

import { html, type Html } from './html.ts';

const PATHS = {
  add: 'M12 5v14M5 12h14',
  search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM20 20l-4-4',
  table: 'M3 5h18v14H3zM3 10h18M9 10v9',
  view: 'M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z',
  history: 'M3 12a9 9 0 1 0 3-6.7L3 8M3 3v5h5M12 7v5l3 2',
  users:
    'M9 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM2 21a7 7 0 0 1 14 0M17 4a4 4 0 0 1 0 8M22 21a7 7 0 0 0-4-6',
  user: 'M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4 21a8 8 0 0 1 16 0',
  home: 'm3 11 9-8 9 8M5 9v11h14V9',
  key: 'M8 11a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM11 12l9-9M16 7l3 3',
  leave: 'M9 21H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2h4M16 17l5-5-5-5M21 12H9',
  filter: 'M3 5h18l-7 8v6l-4 2v-8z',
  columns: 'M3 5h18v14H3zM9 5v14M15 5v14',
  close: 'M18 6 6 18M6 6l12 12',
  remove: 'M3 6h18M8 6V4h8v2M6 6l1 15h10l1-15M10 11v6M14 11v6',
  structure: 'M5 3h6v6H5zM13 15h6v6h-6zM8 9v9h5',
  previous: 'm15 18-6-6 6-6',
  next: 'm9 18 6-6-6-6',
  up: 'm18 15-6-6-6 6',
  down: 'm6 9 6 6 6-6',
  theme: 'M20 14A8.5 8.5 0 1 1 10 4a7 7 0 0 0 10 10z',
  open: 'M14 4h6v6M20 4l-9 9M18 14v6H4V6h6',
  edit: 'M4 20h4L20 8l-4-4L4 16z',
  done: 'm5 13 4 4L19 7',
  warning: 'M12 3 2 21h20zM12 10v5M12 18v.5',
  download: 'M12 3v12M7 10l5 5 5-5M4 21h16',
  geese: 'M3 7c2 0 3 1 4 3 1-2 3-3 5-3M12 14c2 0 3 1 4 3 1-2 3-3 5-3',
} as const;

export type IconName = keyof typeof PATHS;

export function icon(name: IconName): Html {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    <path d="${PATHS[name]}" />
  </svg>`;
}
