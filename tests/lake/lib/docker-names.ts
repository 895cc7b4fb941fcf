// A program: Docker's name server in a container of the runner. What it knows stands in /etc/hosts,
// where the runner writes all containers of a service.

import { readFileSync } from 'node:fs';

import { startNameServer } from '@skein/testkit';

await startNameServer((name) =>
  readFileSync('/etc/hosts', 'utf8')
    .split('\n')
    .map((line) => line.split(/\s+/))
    .filter(([address = '', ...names]) => names.includes(name) && !address.includes(':'))
    .map(([address]) => address!),
);
