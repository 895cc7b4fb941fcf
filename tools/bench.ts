// Runs one of bench/: `npm run bench -- NAME [options]`. Without a name, lists them.

import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { runCommand } from '@skein/testkit';

const root = dirname(import.meta.dirname);
const names = globSync('bench/*.ts', { cwd: root }).map((path) => basename(path, '.ts'));

/** The question that a bench begins with. */
function questionOf(name: string): string {
  const [firstLine = ''] = readFileSync(join(root, 'bench', `${name}.ts`), 'utf8').split('\n');
  return firstLine.replace('// ', '');
}

const [name, ...options] = process.argv.slice(2);
if (name !== undefined && names.includes(name)) {
  // A bench reads its options as if it had been started itself.
  process.argv.splice(2, process.argv.length, ...options);
  await runCommand(async () => {
    await import(join(root, 'bench', `${name}.ts`));
  });
} else {
  const list = names.sort().map((each) => `  ${each.padEnd(8)}${questionOf(each)}`);
  console.log(`npm run bench -- NAME [options]\n${list.join('\n')}`);
  if (name !== undefined && name !== '--help') process.exitCode = 2;
}
