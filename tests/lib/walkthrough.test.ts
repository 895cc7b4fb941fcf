import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseWalkthrough, runStep, shows, stepsFor } from './walkthrough.ts';

const README = `# Messages

\`\`\`console npm
$ npm start
\`\`\`

## Create

\`\`\`console
$ curl -X POST http://localhost:8001/ \\
    -d '{}'
{"id":1,…}
$ cat > file <<'END'
> first
>
> END
$ ls mount
db.sqlite3
\`\`\`

\`\`\`ts
$ this is not a command
\`\`\`
`;

test('parseWalkthrough() takes commands with what they show, heading and place', () => {
  const steps = parseWalkthrough(README);
  assert.deepEqual(steps, [
    { heading: 'Messages', place: 'npm', command: 'npm start', expected: [], line: 4 },
    {
      heading: 'Create',
      place: undefined,
      command: "curl -X POST http://localhost:8001/ -d '{}'",
      expected: ['{"id":1,…}'],
      line: 10,
    },
    {
      heading: 'Create',
      place: undefined,
      command: "cat > file <<'END'\nfirst\n\nEND",
      expected: [],
      line: 13,
    },
    {
      heading: 'Create',
      place: undefined,
      command: 'ls mount',
      expected: ['db.sqlite3'],
      line: 17,
    },
  ]);
  assert.equal(stepsFor('compose', steps).length, 3);
});

test('shows() wants all lines in their order, and takes … for anything', () => {
  const output = 'node1   primary  8001\nnode2 replica 8002\n{"id":1,"at":"now"}\n';
  assert(shows(output, ['node1 primary …', '{"id":1,…}']));
  assert(!shows(output, ['{"id":1,…}', 'node1 primary …']));
  assert(!shows(output, ['{"id":2,…}']));
  assert(!shows(output, ['node1 primary']));
});

test('runStep() repeats only what looks', async () => {
  let count = 0;
  const answer = async (): Promise<{ output: string; status: number }> => {
    count += 1;
    return { output: String(count), status: 0 };
  };
  const [, post, , look] = parseWalkthrough(README);
  await runStep({ ...look!, expected: ['3'] }, answer);
  assert.equal(count, 3);
  await assert.rejects(runStep(post!, answer), /line 10 of the README[^]*it shows\n4/);
  assert.equal(count, 4);
});
