// Questions in a terminal. What is typed as a password is not shown. What the environment says is
// not asked, and where nobody can be asked it has to say it.

import { createInterface, type Interface } from 'node:readline/promises';
import { Writable } from 'node:stream';

import { AdminError } from '../errors.ts';

export interface Question {
  readonly question: string;
  /** The answer, where it is known. */
  readonly given: string | undefined;
  /** The variable of the environment that gives it. */
  readonly variable: string;
  /** Why an answer cannot be taken. */
  readonly check: (text: string) => string | undefined;
}

/** A hand on the wrong keyboard; then it is better to look. */
const TRIES_MAX = 5;

export class Prompter {
  readonly canAsk: boolean;
  readonly #output: NodeJS.WritableStream;
  readonly #lines: Interface | undefined;
  #isHidden = false;

  constructor(input: NodeJS.ReadStream, output: NodeJS.WritableStream) {
    this.#output = output;
    this.canAsk = input.isTTY;
    if (!this.canAsk) return;
    // What readline echoes goes through here.
    const shown = new Writable({
      write: (chunk: Buffer, _, done) => {
        if (!this.#isHidden) output.write(chunk);
        done();
      },
    });
    this.#lines = createInterface({ input, output: shown, terminal: true });
    // Ctrl-C and the end of the input are no answer.
    this.#lines.on('SIGINT', () => this.#lines?.close());
  }

  ask(question: Question): Promise<string> {
    return this.#ask(question, (text) => this.#line(text, false));
  }

  askPassword(question: Question): Promise<string> {
    return this.#ask(question, (text) => this.#line(text, true));
  }

  /** Twice, since nobody sees it. */
  async askNewPassword(question: Question): Promise<string> {
    for (let tries = 1; ; tries++) {
      const password = await this.askPassword(question);
      if (question.given !== undefined) return password;
      if ((await this.#line(`${question.question} again`, true)) === password) return password;
      if (tries === TRIES_MAX) throw refused(question, 'The two are not the same');
      this.#output.write('The two are not the same.\n');
    }
  }

  close(): void {
    this.#lines?.close();
  }

  async #ask(question: Question, line: (text: string) => Promise<string>): Promise<string> {
    const { given, check } = question;
    if (given !== undefined) {
      const problem = check(given);
      if (problem !== undefined) throw refused(question, problem);
      return given;
    }
    for (let tries = 1; ; tries++) {
      const answer = await line(question.question);
      const problem = check(answer);
      if (problem === undefined) return answer;
      if (tries === TRIES_MAX) throw refused(question, problem);
      this.#output.write(`${problem}.\n`);
    }
  }

  async #line(question: string, isHidden: boolean): Promise<string> {
    const lines = this.#lines;
    if (lines === undefined) {
      throw new AdminError('ADMIN_SUPERUSER', `Cannot ask for "${question}": this is no terminal`, {
        hint: 'SKEIN_SUPERUSER_USERNAME and SKEIN_SUPERUSER_PASSWORD say it without being asked',
      });
    }
    const ended = new AbortController();
    const end = (): void => ended.abort();
    lines.once('close', end);
    try {
      const asked = lines.question(`${question}: `, { signal: ended.signal });
      // The question is written by now; what follows is what is typed.
      this.#isHidden = isHidden;
      const answer = await asked;
      return isHidden ? answer : answer.trim();
    } catch (cause) {
      throw new AdminError('ADMIN_SUPERUSER', `Cannot ask for "${question}": the input has ended`, {
        cause,
      });
    } finally {
      lines.off('close', end);
      this.#isHidden = false;
      if (isHidden) this.#output.write('\n');
    }
  }
}

function refused({ variable, given }: Question, problem: string): AdminError {
  return new AdminError('ADMIN_SUPERUSER', `Cannot create a superuser: ${problem}`, {
    hint: given === undefined ? undefined : `It is from ${variable}`,
  });
}
