// One contract for the plugins of all frameworks.

import { test } from 'node:test';

import { FRAMEWORKS } from './apps.ts';
import { WEB_CASES } from './web-contract.ts';

for (const [name, start] of Object.entries(FRAMEWORKS)) {
  for (const [title, run] of Object.entries(WEB_CASES)) {
    test(`${name}: ${title}`, (t) => run(t, start));
  }
}
