// npm run api-reference: writes docs/api/client.md from the declarations of @skein/client.

import { writeFileSync } from 'node:fs';

import { makeReference, REFERENCE_PATH } from './api-reference/make-reference.ts';

writeFileSync(REFERENCE_PATH, makeReference());
