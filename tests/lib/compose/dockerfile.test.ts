import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { parseDockerfile, readCommandForm, splitWords } from './dockerfile.ts';

const TEXT = `# A comment
ARG VERSION=24
FROM node:\${VERSION} AS build
RUN apt-get update \\
  # in the middle
  && apt-get install -y curl

FROM build
COPY --from=build --chown=app /a "/b c" /d/
CMD ["node", "server.js"]
`;

describe('parseDockerfile()', () => {
  test('gives stages with their instructions, lines joined', () => {
    const { globalArgs, stages } = parseDockerfile('Dockerfile', TEXT);
    assert.deepEqual(
      globalArgs.map(({ rest }) => rest),
      ['VERSION=24'],
    );
    assert.deepEqual(
      stages.map(({ base, name }) => [base, name]),
      [
        ['node:${VERSION}', 'build'],
        ['build', undefined],
      ],
    );
    const [run] = stages[0]!.instructions;
    assert.deepEqual(run, {
      line: 4,
      name: 'RUN',
      flags: {},
      rest: 'apt-get update && apt-get install -y curl',
    });
    const [copy] = stages[1]!.instructions;
    assert.deepEqual(copy!.flags, { from: 'build', chown: 'app' });
    assert.deepEqual(splitWords(copy!.rest), ['/a', '/b c', '/d/']);
  });

  const faults: readonly (readonly [what: string, text: string, message: RegExp])[] = [
    ['nothing', '# only this\n', /there is no FROM/],
    ['an instruction before FROM', 'RUN true\n', /line 1: RUN before FROM/],
    ['a heredoc', 'FROM a\nRUN <<END\ntrue\nEND\n', /line 2: cannot read/],
    ['a platform', 'FROM a b c\n', /line 1: expected FROM IMAGE/],
  ];
  for (const [what, text, message] of faults) {
    test(`refuses ${what}`, () => {
      assert.throws(() => parseDockerfile('Dockerfile', text), {
        name: 'ComposeFileError',
        message,
      });
    });
  }
});

test('readCommandForm() takes a list as it is, and gives anything else to a shell', () => {
  assert.deepEqual(readCommandForm('["a", "b c"]'), ['a', 'b c']);
  assert.deepEqual(readCommandForm('[ -e x ] && y'), ['/bin/sh', '-c', '[ -e x ] && y']);
});
