// The commands of a README, run as somebody would who reads it.
//
//   ```console npm
//   $ curl http://localhost:8001/api/health/
//   {"status":"healthy","node_name":"node1",…}
//   ```
//
// What follows a command is what it shows: each of these lines has to be in its output, in this
// order, where `…` stands for anything. The word after `console` says where a block belongs ("npm",
// "compose"); one without belongs everywhere. Blocks of other languages are not run.
//
// Lines that begin with `>` go on with a command, as those that a shell asks for.
//
// A command that only looks is run again until it shows that: replicas follow in their own time.
// All others are run once.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

import { waitUntil } from '@skein/testkit';

export interface WalkthroughStep {
  /** The heading that it stands under. */
  readonly heading: string;
  /** The word of its block: where it belongs. Undefined: everywhere. */
  readonly place: string | undefined;
  readonly command: string;
  /** Lines of its output, with `…` for what may be anything. */
  readonly expected: readonly string[];
  /** Of the command in the README, from 1. */
  readonly line: number;
}

export interface CommandResult {
  /** What it has printed, errors too. */
  readonly output: string;
  readonly status: number;
}

export type RunCommand = (command: string) => Promise<CommandResult>;

const REPLICATION_TIMEOUT_MS = 120_000;
const LOOKING = new RegExp(
  '^(?:curl(?!.* -X )|ls |grep |npm run skein -- status|sqlite3 .*(?:SELECT|\\.tables)|' +
    'docker[ -]compose (?:ps|logs|exec))',
);
const FENCE = /^```(?<language>\w*) ?(?<place>\w*)/;
const ANYTHING = '…';

/** All steps of a README, in its order. */
export function parseWalkthrough(markdown: string): WalkthroughStep[] {
  const steps: WalkthroughStep[] = [];
  let heading = '';
  let block: { readonly isConsole: boolean; readonly place: string | undefined } | undefined;
  for (const [index, line] of markdown.split('\n').entries()) {
    const fence = FENCE.exec(line)?.groups;
    if (fence !== undefined) {
      const { language, place } = fence;
      const isEnd = block !== undefined;
      block = isEnd
        ? undefined
        : { isConsole: language === 'console', place: place === '' ? undefined : place };
    } else if (block === undefined) {
      if (line.startsWith('#')) heading = line.replace(/^#+ /, '');
    } else if (block.isConsole) {
      addLine(steps, line, { heading, place: block.place, line: index + 1 });
    }
  }
  return steps;
}

type Where = Pick<WalkthroughStep, 'heading' | 'place' | 'line'>;

function addLine(steps: WalkthroughStep[], line: string, where: Where): void {
  const last = steps.at(-1);
  if (line.startsWith('$ ')) {
    steps.push({ ...where, command: line.slice(2), expected: [] });
  } else if (last === undefined) {
    throw new Error(`Line ${where.line} is the output of no command`);
  } else if (last.command.endsWith('\\')) {
    const command = `${last.command.slice(0, -1)}${line.trim()}`;
    steps.splice(-1, 1, { ...last, command });
  } else if (line === '>' || line.startsWith('> ')) {
    steps.splice(-1, 1, { ...last, command: `${last.command}\n${line.slice(2)}` });
  } else if (line.trim() !== ANYTHING && line.trim() !== '') {
    steps.splice(-1, 1, { ...last, expected: [...last.expected, line] });
  }
}

/** Those that belong to a place: "npm" or "compose". */
export function stepsFor(place: string, steps: readonly WalkthroughStep[]): WalkthroughStep[] {
  return steps.filter((step) => step.place === undefined || step.place === place);
}

/** Throws, with what it showed, when that is not what the README says. */
export async function runStep(step: WalkthroughStep, run: RunCommand): Promise<void> {
  let last: CommandResult = { output: '', status: 0 };
  const isAsShown = async (): Promise<boolean> => {
    last = await run(step.command);
    return shows(last.output, step.expected);
  };
  const where = `line ${step.line} of the README: ${step.command}`;
  try {
    if (LOOKING.test(step.command)) await waitUntil(where, isAsShown, REPLICATION_TIMEOUT_MS);
    else if (!(await isAsShown())) throw new Error(`It does not show what it should: ${where}`);
  } catch (cause) {
    const shown = `expected\n${step.expected.join('\n')}\nand it shows\n${last.output}`;
    throw new Error(`${where}\n${shown}(status ${last.status})`, { cause });
  }
}

/** Whether all expected lines are in the output, in their order. */
export function shows(output: string, expected: readonly string[]): boolean {
  const lines = output.split('\n');
  let from = 0;
  for (const line of expected) {
    const pattern = patternOf(line);
    const found = lines.findIndex((each, index) => index >= from && pattern.test(each));
    if (found === -1) return false;
    from = found + 1;
  }
  return true;
}

/** How much space stands between words is a matter of the table, not of what it says. */
function patternOf(line: string): RegExp {
  const parts = line
    .trim()
    .split(ANYTHING)
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
    .map((part) => part.replaceAll(/ +/g, ' +'));
  return new RegExp(`^\\s*${parts.join('.*')}\\s*$`);
}

export interface ShellOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs a command as a terminal would. */
export async function runInShell(command: string, options: ShellOptions): Promise<CommandResult> {
  const { cwd, env = process.env } = options;
  const child = spawn('bash', ['-c', `exec 2>&1; ${command}`], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output, [status]] = await Promise.all([
    text(child.stdout),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  return { output, status: status ?? 1 };
}
